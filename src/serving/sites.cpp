// SPDX-License-Identifier: Apache-2.0
#include "serving/sites.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "analysis/config.hpp"
#include "api/models.hpp"
#include "model/admission.hpp"
#include "model/repository.hpp"
#include "serving/kserve_routes.hpp"
#include "serving/model_set.hpp"
#include "serving/tf_serving_routes.hpp"

namespace unmask::serving {
namespace {

bool IsOneVersion(const std::string& model) { return model.find_first_of(":@") != std::string::npos; }

std::string NameIn(const std::string& model) { return model.substr(0, model.find_first_of(":@")); }

/// Loads what is offered and was not loaded by the analyzer.
class Loader {
 public:
  Loader(const AnalyzerConfig& config, const ModelWatch& watch, Analyzer& analyzer)
      : config_(config), network_(NetworkOptionsOf(config)), watch_(watch), judging_(VersionsOf(analyzer)) {}

  Result<std::shared_ptr<const OfferedModel>> Follow(const std::string& name) const {
    std::shared_ptr<const ServedModel> model;
    if (judging_ != nullptr && judging_->name() == name) {
      model = {std::shared_ptr<void>(), judging_};  // the analyzer's, which outlives the routes
    } else {
      const auto card = ModelRepository(config_.models).Find(name);  // its errors say what there is
      if (!card && card.error().code == ErrorCode::kNotFound) return tl::unexpected(card.error());
      auto watched = WatchModel(config_.models, name, network_, watch_);
      if (!watched) return tl::unexpected(watched.error());
      model = std::move(*watched);
    }
    auto offered = OfferFollowed(std::move(model));
    if (const auto network = offered->Take(""); !network) return tl::unexpected(network.error());
    return offered;
  }

  Result<std::shared_ptr<const ServedNetwork>> Load(const std::string& version) const {
    const auto card = ModelRepository(config_.models).Find(version);
    if (!card) return tl::unexpected(card.error());
    auto loaded = LoadChecked(*card, network_);
    if (!loaded) return tl::unexpected(loaded.error());
    if (!loaded->tensors) return tl::unexpected(loaded->tensors.error());
    return std::make_shared<const ServedNetwork>(
        std::move(loaded->scorer), std::make_shared<const NetworkTensors>(std::move(*loaded->tensors)));
  }

 private:
  const AnalyzerConfig& config_;
  const NetworkOptions network_;
  const ModelWatch& watch_;
  const ServedModel* const judging_;
};

Result<std::shared_ptr<const ModelSet>> LoadModels(const std::vector<std::string>& models,
                                                   const Loader& loader) {
  std::vector<std::shared_ptr<const OfferedModel>> offered;
  std::map<std::string, std::vector<std::shared_ptr<const ServedNetwork>>> fixed;
  for (const auto& model : std::set(models.begin(), models.end())) {
    if (!IsOneVersion(model)) {
      auto followed = loader.Follow(model);
      if (!followed) return tl::unexpected(followed.error());
      offered.push_back(std::move(*followed));
      continue;
    }
    auto network = loader.Load(model);
    if (!network) return tl::unexpected(network.error());
    fixed[NameIn(model)].push_back(std::move(*network));
  }
  for (auto& [name, versions] : fixed) offered.push_back(OfferFixed(std::move(versions)));
  return std::make_shared<const ModelSet>(std::move(offered));
}

/// A model is followed, or versions of it are named.
Result<void> CheckModels(const std::vector<std::string>& models) {
  for (const auto& model : models)
    if (IsOneVersion(model) && std::find(models.begin(), models.end(), NameIn(model)) != models.end())
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("--serve-model names {} as a whole and {}", NameIn(model), model),
                  "a model as a whole offers every version that is loaded: say which with --model-versions");
  return {};
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
    const ServingOptions& options, const AnalyzerConfig& config, const ModelWatch& watch,
    std::function<void(std::string_view name, const std::string& url)> on_listening) {
  if (options.tf_serving.empty() && options.kserve.empty()) {
    if (!options.models.empty())
      return Fail(ErrorCode::kBadRequest, "--serve-model is of use with --tf-serving or --kserve alone",
                  "for example --kserve 127.0.0.1:8000");
    return MakeSites([](const ServeParts&) { return std::vector<ServedSite>(); });
  }
  if (auto checked = CheckModels(options.models); !checked) return tl::unexpected(checked.error());
  return MakeSites([options, config = WithDefaults(config), watch, on_listening = std::move(on_listening)](
                       const ServeParts& parts) -> Result<std::vector<ServedSite>> {
    const auto models = LoadModels(options.models.empty() ? std::vector{config.model} : options.models,
                                   Loader(config, watch, parts.analyzer));
    if (!models) return tl::unexpected(models.error());
    const auto predictor = std::make_shared<Predictor>(options.limits);
    const auto told = [&on_listening](const char* name) {
      return [on_listening, name](const std::string& url) {
        if (on_listening) on_listening(name, url);
      };
    };
    std::vector<ServedSite> sites;
    if (!options.tf_serving.empty())
      sites.push_back(Site(TfServingRoutes(*models, predictor), options.tf_serving, told("tf-serving")));
    if (!options.kserve.empty())
      sites.push_back(Site(KserveRoutes(*models, predictor, parts.ready), options.kserve, told("kserve")));
    return sites;
  });
}

}  // namespace unmask::serving
