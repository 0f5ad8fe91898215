// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "evaluation/evaluate.hpp"

namespace unmask {

/// What `unmask evaluate` was told.
struct EvaluateCommand {
  EvaluationRequest request;
  std::filesystem::path json;  ///< files to write; empty: none
  std::filesystem::path html;
  std::filesystem::path scores;
};

/// Evaluates and prints the summary. Returns the exit code. Call it once, before any thread is started: it
/// takes over SIGINT and SIGTERM.
int RunEvaluate(const EvaluateCommand& command);

}  // namespace unmask
