// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/serve.hpp"
#include "compat/sites.hpp"
#include "serving/sites.hpp"
#include "unmask/analyzer.hpp"
#include "unmask/serving.hpp"

namespace unmask {

/// What `unmask serve` was told.
struct ServeCommand {
  ServeOptions options;
  AnalyzerConfig analyzer;
  compat::ContractOptions contracts;
  serving::ServingOptions serving;
  ModelWatch watch;                        ///< of the analyzer's model, when it is a name alone
  bool require_gate = false;               ///< of labels that are changed over HTTP
  std::filesystem::path admin_token_file;  ///< empty: UNMASK_ADMIN_TOKEN, if any
};

/// Serves until SIGINT or SIGTERM. Returns the exit code. Call it once, before any thread is started.
int RunServe(const ServeCommand& command);

}  // namespace unmask
