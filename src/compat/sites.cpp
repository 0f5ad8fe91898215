// SPDX-License-Identifier: Apache-2.0
#include "compat/sites.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"

namespace unmask::compat {
namespace {

constexpr const char* kEnvFile = ".env";  // where the original looks

/// The original's address, with the port of PORT where that is set.
std::string DefaultAddress(Contract contract, const ContractSettings& settings) {
  const auto address = OriginalAddress(contract);
  if (!settings.port) return std::string(address);
  return fmt::format("{}:{}", address.substr(0, address.rfind(':')), *settings.port);
}

std::filesystem::path EnvFile(const ContractOptions& options) {
  std::error_code ignored;
  if (!options.env_file.empty()) return options.env_file;
  // Only who puts an original's name on a listener is likely to stand in an original's folder.
  const bool wanted = !options.listeners.empty();
  return wanted && std::filesystem::is_regular_file(kEnvFile, ignored) ? kEnvFile : "";
}

}  // namespace

Result<ContractOptions::Listener> ParseContractListener(std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  const auto contract = ParseContract(text.substr(0, equals));
  if (!contract) return tl::unexpected(contract.error());
  if (equals == text.size()) return ContractOptions::Listener{*contract, ""};
  const auto address = text.substr(equals + 1);
  if (address.find(':') == std::string_view::npos)
    return Fail(ErrorCode::kBadRequest, fmt::format("expected NAME=ADDR:PORT, found '{}'", text));
  return ContractOptions::Listener{*contract, std::string(address)};
}

Result<ContractOptions::Engine> ParseContractEngine(std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  const auto contract = ParseContract(text.substr(0, equals));
  if (!contract) return tl::unexpected(contract.error());
  const auto word = text.substr(std::min(equals + 1, text.size()));
  if (word != "native" && word != "faithful")
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected NAME=native or NAME=faithful, found '{}'", text));
  return ContractOptions::Engine{*contract, word == "faithful"};
}

Result<MakeSites> ContractSites(
    const ContractOptions& options, const Environment& environment,
    std::function<void(std::string_view name, const std::string& url)> on_listening) {
  auto read = ReadContractSettings(environment, EnvFile(options));
  if (!read) {
    // Names such as PORT and THRESHOLD may be meant for other programs where nobody asked for a contract.
    if (!options.listeners.empty() || !options.env_file.empty()) return tl::unexpected(read.error());
    LogWarning("{}; the contracts under /compat/ go by their standard settings", read.error().message);
    read = ContractSettings{};
  }
  read->strict = options.strict;
  const auto settings = std::make_shared<const ContractSettings>(std::move(*read));
  return [options, settings, on_listening = std::move(on_listening)](
             const ServeParts& parts) -> Result<std::vector<ServedSite>> {
    const auto limiter = std::make_shared<RateLimiter>(
        options.redis ? MakeRedisStore(*options.redis) : MakeMemoryStore(), options.redis_down);
    std::vector<ServedSite> sites;
    for (const auto contract : kContracts) {
      const auto name = ContractName(contract);
      const ContractContext context{.contract = contract,
                                    .service = parts.service,
                                    .native = parts.analyzer,
                                    .timers = parts.timers,
                                    .ready = parts.ready,
                                    .data = parts.options.data,
                                    .web = parts.options.web,
                                    .max_upload_bytes = parts.options.max_upload_bytes,
                                    .retention = parts.options.retention,
                                    .settings = settings,
                                    .limiter = limiter,
                                    .trusted_proxies = options.trusted_proxies};
      auto routes = MakeContract(context);
      if (!routes) continue;
      ServedSite site{.prefix = fmt::format("/compat/{}", name), .routes = std::move(routes)};
      for (const auto& listener : options.listeners)
        if (listener.contract == contract)
          site.listen.push_back(listener.address.empty() ? DefaultAddress(contract, *settings)
                                                         : listener.address);
      site.on_listening = [on_listening, name](const std::string& url) {
        if (on_listening) on_listening(name, url);
      };
      sites.push_back(std::move(site));
    }
    return sites;
  };
}

}  // namespace unmask::compat
