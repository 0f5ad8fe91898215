// SPDX-License-Identifier: Apache-2.0
#include "serving/sites.hpp"

#include <memory>

#include "analysis/config.hpp"
#include "model/repository.hpp"
#include "serving/kserve_routes.hpp"
#include "serving/served_network.hpp"
#include "serving/tf_serving_routes.hpp"

namespace unmask::serving {
namespace {

Result<std::shared_ptr<const ModelSet>> LoadModels(const ServingOptions& options,
                                                   const AnalyzerConfig& config) {
  const ModelRepository repository(config.models);
  std::vector<std::shared_ptr<const ServedNetwork>> networks;
  for (const auto& name : options.models.empty() ? std::vector{config.model} : options.models) {
    auto card = repository.Find(name);
    if (!card) return tl::unexpected(card.error());
    auto network = ServedNetwork::Load(
        std::move(*card), {.device = config.device, .threads = config.threads, .cache = *config.cache});
    if (!network) return tl::unexpected(network.error());
    networks.push_back(std::move(*network));
  }
  return std::make_shared<const ModelSet>(std::move(networks));
}

ServedSite Site(std::shared_ptr<const http::Router> routes, const std::vector<std::string>& listen,
                std::function<void(const std::string& url)> on_listening) {
  return {.prefix = "",
          .routes = std::move(routes),
          .listen = listen,
          .any_page = false,
          .on_listening = std::move(on_listening),
          .on_shutdown = {}};
}

}  // namespace

Result<MakeSites> ServingSites(
    const ServingOptions& options, const AnalyzerConfig& config,
    std::function<void(std::string_view name, const std::string& url)> on_listening) {
  if (options.tf_serving.empty() && options.kserve.empty()) {
    if (!options.models.empty())
      return Fail(ErrorCode::kBadRequest, "--serve-model is of use with --tf-serving or --kserve alone",
                  "for example --kserve 127.0.0.1:8000");
    return MakeSites([](const ServeParts&) { return std::vector<ServedSite>(); });
  }
  auto models = LoadModels(options, WithDefaults(config));
  if (!models) return tl::unexpected(models.error());
  return MakeSites([options, models = *models, on_listening = std::move(on_listening)](
                       const ServeParts& parts) -> Result<std::vector<ServedSite>> {
    const auto predictor = std::make_shared<Predictor>(options.limits);
    const auto told = [&on_listening](const char* name) {
      return [on_listening, name](const std::string& url) {
        if (on_listening) on_listening(name, url);
      };
    };
    std::vector<ServedSite> sites;
    if (!options.tf_serving.empty())
      sites.push_back(Site(TfServingRoutes(models, predictor), options.tf_serving, told("tf-serving")));
    if (!options.kserve.empty())
      sites.push_back(Site(KserveRoutes(models, predictor, parts.ready), options.kserve, told("kserve")));
    return sites;
  });
}

}  // namespace unmask::serving
