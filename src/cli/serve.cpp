// SPDX-License-Identifier: Apache-2.0
#include "cli/serve.hpp"

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/log.hpp"
#include "cli/exit_code.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"
#include "compat/faithful/faithful.hpp"

namespace unmask {
namespace {

MakeSites JoinSites(std::vector<MakeSites> makers) {
  return [makers = std::move(makers)](const ServeParts& parts) -> Result<std::vector<ServedSite>> {
    std::vector<ServedSite> all;
    for (const auto& make : makers) {
      auto sites = make(parts);
      if (!sites) return tl::unexpected(sites.error());
      std::move(sites->begin(), sites->end(), std::back_inserter(all));
    }
    return all;
  };
}

}  // namespace

int RunServe(const ServeCommand& command) {
  SignalWatcher signals;
  SetLogTimes(true);
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const auto on_site = [](std::string_view name, const std::string& url) {
    fmt::print("{} is listening on {}\n", name, url);
    std::fflush(stdout);
  };
  const auto contracts = compat::ContractSites(command.contracts, environment,
                                               compat::FaithfulEngines(command.analyzer), on_site);
  if (!contracts) {
    PrintError(contracts.error());
    return kWrongUsage;
  }
  auto analyzer = Analyzer::Create(command.analyzer);
  if (!analyzer) {
    PrintError(analyzer.error());
    return kSomeFailed;
  }
  const auto serving = serving::ServingSites(command.serving, command.analyzer, on_site);
  if (!serving) {
    PrintError(serving.error());
    return serving.error().code == ErrorCode::kBadRequest ? kWrongUsage : kSomeFailed;
  }
  ServeOptions options = command.options;
  if (options.models.empty()) options.models = command.analyzer.models;
  options.media.decoder_wall = command.analyzer.decode_timeout;
  const auto on_listening = [](const std::string& url) {
    fmt::print("unmask is listening on {}\n", url);
    std::fflush(stdout);
  };
  const auto served =
      RunServer(options, **analyzer, signals.token(), on_listening, JoinSites({*contracts, *serving}));
  if (!served) {
    PrintError(served.error());
    return served.error().code == ErrorCode::kBadRequest ? kWrongUsage : kSomeFailed;
  }
  return kAllDone;
}

}  // namespace unmask
