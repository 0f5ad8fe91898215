// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "compat/check/check.hpp"
#include "compat/sites.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

/// What `unmask compat-check` was told.
struct CompatCheckCommand {
  compat::CheckOptions check;  ///< `ours` empty: a server of this process
  std::vector<std::filesystem::path> files;
  bool json = false;

  // Of that server:
  bool faithful = false;
  std::filesystem::path model;     ///< of the faithful engine
  std::filesystem::path env_file;  ///< the originals' settings
  AnalyzerConfig analyzer;
};

/// Compares an old service with unmask and prints what differs. Returns kAllDone for equal shapes, kFailOn
/// for others, kWrongUsage, kSomeFailed when a service could not be reached or our own cannot work here, or
/// kInterrupted.
int RunCompatCheck(const CompatCheckCommand& command);

}  // namespace unmask
