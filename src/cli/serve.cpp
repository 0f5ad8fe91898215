// SPDX-License-Identifier: Apache-2.0
#include "cli/serve.hpp"

#include <cstdio>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "base/log.hpp"
#include "cli/exit_code.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"
#include "compat/faithful/faithful.hpp"

namespace unmask {

int RunServe(const ServeCommand& command) {
  SignalWatcher signals;
  SetLogTimes(true);
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const auto sites =
      compat::ContractSites(command.contracts, environment, compat::FaithfulEngines(command.analyzer),
                            [](std::string_view name, const std::string& url) {
                              fmt::print("{} is listening on {}\n", name, url);
                              std::fflush(stdout);
                            });
  if (!sites) {
    PrintError(sites.error());
    return kWrongUsage;
  }
  auto analyzer = Analyzer::Create(command.analyzer);
  if (!analyzer) {
    PrintError(analyzer.error());
    return kSomeFailed;
  }
  ServeOptions options = command.options;
  if (options.models.empty()) options.models = command.analyzer.models;
  options.media.decoder_wall = command.analyzer.decode_timeout;
  const auto on_listening = [](const std::string& url) {
    fmt::print("unmask is listening on {}\n", url);
    std::fflush(stdout);
  };
  const auto served = RunServer(options, **analyzer, signals.token(), on_listening, *sites);
  if (!served) {
    PrintError(served.error());
    return served.error().code == ErrorCode::kBadRequest ? kWrongUsage : kSomeFailed;
  }
  return kAllDone;
}

}  // namespace unmask
