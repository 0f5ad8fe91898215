// SPDX-License-Identifier: Apache-2.0
#include "cli/serve.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "base/log.hpp"
#include "cli/exit_code.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"

namespace unmask {

int RunServe(const ServeCommand& command) {
  SignalWatcher signals;
  SetLogTimes(true);
  auto analyzer = Analyzer::Create(command.analyzer);
  if (!analyzer) {
    PrintError(analyzer.error());
    return kSomeFailed;
  }
  ServeOptions options = command.options;
  if (options.models.empty()) options.models = command.analyzer.models;
  options.media.decoder_wall = command.analyzer.decode_timeout;
  const auto served = RunServer(options, **analyzer, signals.token(), [](const std::string& url) {
    fmt::print("unmask is listening on {}\n", url);
    std::fflush(stdout);
  });
  if (!served) {
    PrintError(served.error());
    return served.error().code == ErrorCode::kBadRequest ? kWrongUsage : kSomeFailed;
  }
  return kAllDone;
}

}  // namespace unmask
