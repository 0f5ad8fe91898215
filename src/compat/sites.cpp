// SPDX-License-Identifier: Apache-2.0
#include "compat/sites.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "compat/predict/auth.hpp"
#include "compat/tf_serving/scorer.hpp"

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

/// Splits "NAME=REST".
Result<std::pair<Contract, std::string_view>> ParseAssignment(std::string_view text, const char* expected) {
  const auto equals = std::min(text.find('='), text.size());
  const auto contract = ParseContract(text.substr(0, equals));
  if (!contract) return tl::unexpected(contract.error());
  const auto rest = text.substr(std::min(equals + 1, text.size()));
  if (rest.empty())
    return Fail(ErrorCode::kBadRequest, fmt::format("expected {}, found '{}'", expected, text));
  return std::pair(*contract, rest);
}

using Engines = std::map<Contract, std::shared_ptr<Analyzer>>;

/// predict-api's upstream, when it is to be asked: by its faithful engine, unless that has a model of its
/// own.
Result<std::shared_ptr<TfServing>> MakeServing(const ContractOptions& options,
                                               const ContractSettings& settings) {
  const auto is_predict = [](const auto& option) { return option.contract == Contract::kPredictApi; };
  if (settings.tf_serving_url.empty()) return nullptr;
  const auto engine = std::find_if(options.engines.rbegin(), options.engines.rend(), is_predict);
  const bool listens = std::any_of(options.listeners.begin(), options.listeners.end(), is_predict);
  if (engine == options.engines.rend() || !engine->faithful) {
    if (listens)
      LogWarning(
          "predict-api: TF_SERVING_URL is set, but the built-in detector answers; "
          "--contract-engine predict-api=faithful asks TensorFlow Serving");
    return nullptr;
  }
  if (std::any_of(options.models.begin(), options.models.end(), is_predict)) return nullptr;
  auto serving = TfServing::Create(
      {.url = settings.tf_serving_url, .model = settings.model_name, .timeout = settings.request_timeout});
  if (!serving) return tl::unexpected(serving.error());
  return std::shared_ptr<TfServing>(std::move(*serving));
}

Result<Engines> MakeEngines(const ContractOptions& options, const ContractSettings& settings,
                            const MakeFaithful& make_faithful,
                            const std::shared_ptr<FaceScorer>& predict_scorer) {
  std::map<Contract, bool> faithful;  // the last word counts
  for (const auto& engine : options.engines) faithful[engine.contract] = engine.faithful;
  std::map<Contract, std::filesystem::path> models;
  for (const auto& model : options.models) {
    if (!faithful[model.contract])
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("--contract-model {0}=... is of use with --contract-engine {0}=faithful alone",
                              ContractName(model.contract)));
    models[model.contract] = model.path;
  }
  Engines engines;
  for (const auto& [contract, wanted] : faithful) {
    if (!wanted) continue;
    const auto remote = contract == Contract::kPredictApi ? predict_scorer : nullptr;
    auto engine = make_faithful ? make_faithful(contract, models[contract], remote, settings)
                                : Fail(ErrorCode::kBadRequest, "the engine 'faithful' is not built in");
    if (!engine)
      return Fail(engine.error().code, fmt::format("{}: {}", ContractName(contract), engine.error().message),
                  engine.error().hint);
    engines.emplace(contract, std::move(*engine));
  }
  return engines;
}

}  // namespace

Result<ContractOptions::Listener> ParseContractListener(std::string_view text) {
  if (const auto contract = ParseContract(text)) return ContractOptions::Listener{*contract, ""};
  const auto parts = ParseAssignment(text, "NAME=ADDR:PORT");
  if (!parts) return tl::unexpected(parts.error());
  if (parts->second.find(':') == std::string_view::npos)
    return Fail(ErrorCode::kBadRequest, fmt::format("expected NAME=ADDR:PORT, found '{}'", text));
  return ContractOptions::Listener{parts->first, std::string(parts->second)};
}

Result<ContractOptions::Engine> ParseContractEngine(std::string_view text) {
  const auto parts = ParseAssignment(text, "NAME=native or NAME=faithful");
  if (!parts) return tl::unexpected(parts.error());
  if (parts->second != "native" && parts->second != "faithful")
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected NAME=native or NAME=faithful, found '{}'", text));
  return ContractOptions::Engine{parts->first, parts->second == "faithful"};
}

Result<ContractOptions::Model> ParseContractModel(std::string_view text) {
  const auto parts = ParseAssignment(text, "NAME=PATH");
  if (!parts) return tl::unexpected(parts.error());
  return ContractOptions::Model{parts->first, parts->second};
}

Result<MakeSites> ContractSites(
    const ContractOptions& options, const Environment& environment, const MakeFaithful& make_faithful,
    std::function<void(std::string_view name, const std::string& url)> on_listening) {
  auto read = ReadContractSettings(environment, EnvFile(options));
  if (!read) {
    // Names such as PORT and THRESHOLD may be meant for other programs where nobody asked for a contract.
    if (!options.listeners.empty() || !options.env_file.empty()) return tl::unexpected(read.error());
    LogWarning("{}; the contracts under /compat/ go by their standard settings", read.error().message);
    read = ContractSettings{};
  }
  read->strict = options.strict;
  if (const auto checked = CheckAuthSettings(*read); !checked) return tl::unexpected(checked.error());
  const auto settings = std::make_shared<const ContractSettings>(std::move(*read));
  auto serving = MakeServing(options, *settings);
  if (!serving) return tl::unexpected(serving.error());
  auto engines = MakeEngines(options, *settings, make_faithful,
                             *serving ? MakeTfServingScorer(*serving, settings->model_name) : nullptr);
  if (!engines) return tl::unexpected(engines.error());
  return
      [options, settings, serving = *serving, engines = std::move(*engines),
       on_listening = std::move(on_listening)](const ServeParts& parts) -> Result<std::vector<ServedSite>> {
        const auto limiter = std::make_shared<RateLimiter>(
            options.redis ? MakeRedisStore(*options.redis) : MakeMemoryStore(), options.redis_down);
        std::vector<ServedSite> sites;
        for (const auto contract : kContracts) {
          const auto name = ContractName(contract);
          const auto engine = engines.find(contract);
          const ContractContext context{.contract = contract,
                                        .service = parts.service,
                                        .native = parts.analyzer,
                                        .timers = parts.server,
                                        .server = &parts.server,
                                        .ready = parts.ready,
                                        .data = parts.options.data,
                                        .web = parts.options.web,
                                        .docs = parts.docs,
                                        .max_upload_bytes = parts.options.max_upload_bytes,
                                        .retention = parts.options.retention,
                                        .settings = settings,
                                        .limiter = limiter,
                                        .trusted_proxies = options.trusted_proxies,
                                        .faithful = engine == engines.end() ? nullptr : engine->second,
                                        .serving = contract == Contract::kPredictApi ? serving : nullptr};
          auto made = MakeContract(context);
          ServedSite site{.prefix = fmt::format("/compat/{}", name),
                          .routes = std::move(made.routes),
                          .any_page = true,  // as at the originals, whose CORS the routes have
                          .on_shutdown = std::move(made.on_shutdown)};
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
