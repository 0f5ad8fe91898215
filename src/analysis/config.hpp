// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/network.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

/// The configuration with every path that was left open filled in: what came with the program
/// (FindInstallPaths), and the user's cache folder.
AnalyzerConfig WithDefaults(AnalyzerConfig config);

/// How the model's networks are loaded. `config` is one that WithDefaults() gave.
NetworkOptions NetworkOptionsOf(const AnalyzerConfig& config);

}  // namespace unmask
