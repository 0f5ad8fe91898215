// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compat/sites.hpp"
#include "unmask/analyzer.hpp"

namespace unmask::compat {

/// Makes faithful engines. They share decoders and go by `config` for paths, device, threads and time limits;
/// its model is of no interest to them.
MakeFaithful FaithfulEngines(AnalyzerConfig config);

}  // namespace unmask::compat
