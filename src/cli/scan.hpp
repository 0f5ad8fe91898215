// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "unmask/analyzer.hpp"

namespace unmask {

enum class ScanFormat { kTable, kJson, kJsonLines, kCsv, kHtml };

/// What `unmask scan` was told.
struct ScanCommand {
  std::vector<std::string> paths;
  std::optional<ScanFormat> format;  ///< absent: table on a terminal, JSON lines otherwise
  std::filesystem::path output;      ///< empty: standard output
  std::filesystem::path overlay;     ///< folder for annotated pictures; empty: none
  bool faces = false;
  int jobs = 0;  ///< files at once; 0: one for each core
  std::vector<Verdict> fail_on;
  AnalysisOptions analysis;
  AnalyzerConfig analyzer;
};

/// Analyses the files and prints the results in the order of the input, each as soon as those before it are
/// done. Returns the exit code. Call it once, before any thread is started: it takes over SIGINT and SIGTERM.
int RunScan(const ScanCommand& command);

}  // namespace unmask
