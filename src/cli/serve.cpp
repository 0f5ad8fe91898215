// SPDX-License-Identifier: Apache-2.0
#include "cli/serve.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "analysis/versioned_analyzer.hpp"
#include "api/admin.hpp"
#include "api/models.hpp"
#include "base/file.hpp"
#include "base/install.hpp"
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

/// The admin token, "" without one. Never from the command line, which other users can see.
Result<std::string> ReadAdminToken(const std::filesystem::path& file) {
  std::string token;
  std::string source = "UNMASK_ADMIN_TOKEN";
  if (const char* value = std::getenv(source.c_str())) token = value;
  if (!file.empty()) {
    source = file.string();
    const auto text = ReadSmallFile(file, 4096);
    if (!text) return Fail(ErrorCode::kBadRequest, fmt::format("{}: {}", source, text.error().message));
    token = *text;
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  } else if (token.empty()) {
    return token;
  }
  const bool printable =
      std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > ' ' && c < 0x7F; });
  if (token.size() >= kLeastAdminToken && printable) return token;
  return Fail(
      ErrorCode::kBadRequest,
      fmt::format("{} holds no admin token (expected at least {} printable characters without spaces)",
                  source, kLeastAdminToken),
      "make one with: openssl rand -hex 32");
}

Result<std::unique_ptr<Analyzer>> MakeAnalyzer(const ServeCommand& command, const ModelWatch& watch) {
  if (command.analyzer.model.find_first_of(":@") != std::string::npos)
    return Analyzer::Create(command.analyzer);
  return VersionedAnalyzer::Create(command.analyzer, watch).map([](auto analyzer) {
    return std::unique_ptr<Analyzer>(std::move(analyzer));
  });
}

/// The routes that change models.
MakeSites ModelChanges(std::string token, bool require_gate) {
  return
      [token = std::move(token), require_gate](const ServeParts& parts) -> Result<std::vector<ServedSite>> {
        std::vector<ServedSite> sites(1);
        sites[0].prefix = "/v1/models";
        sites[0].routes = ModelChangeRoutes({parts.analyzer, parts.options.models, require_gate}, token);
        return sites;
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
  const auto admin_token = ReadAdminToken(command.admin_token_file);
  if (!admin_token) {
    PrintError(admin_token.error());
    return kWrongUsage;
  }
  ModelWatch watch = command.watch;
  watch.trial = FindInstallPaths().program_folder / "unmask";
  watch.stop = signals.token();
  const auto serving = serving::ServingSites(command.serving, command.analyzer, watch, on_site);
  if (!serving) {
    PrintError(serving.error());
    return kWrongUsage;
  }
  auto analyzer = MakeAnalyzer(command, watch);
  if (!analyzer && signals.signalled()) return kAllDone;
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
  const auto served =
      RunServer(options, **analyzer, signals.token(), on_listening,
                JoinSites({*contracts, *serving, ModelChanges(*admin_token, command.require_gate)}));
  if (!served && signals.signalled()) return kAllDone;  // while it loaded what it offers to others
  if (!served) {
    PrintError(served.error());
    return served.error().code == ErrorCode::kBadRequest ? kWrongUsage : kSomeFailed;
  }
  return kAllDone;
}

}  // namespace unmask
