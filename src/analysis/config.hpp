// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unmask/analyzer.hpp"

namespace unmask {

/// The configuration with every path that was left open filled in: what came with the program
/// (FindInstallPaths), and the user's cache folder.
AnalyzerConfig WithDefaults(AnalyzerConfig config);

}  // namespace unmask
