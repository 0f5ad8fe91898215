// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/faithful.hpp"

#include <utility>

#include <fmt/format.h>

#include "analysis/config.hpp"
#include "base/log.hpp"
#include "compat/faithful/engine.hpp"
#include "compat/faithful/mesonet_steps.hpp"
#include "compat/faithful/microservice_steps.hpp"
#include "compat/faithful/network_scorer.hpp"
#include "compat/faithful/predict_steps.hpp"
#include "compat/faithful/version_scorer.hpp"
#include "compat/faithful/web_upload_steps.hpp"

namespace unmask::compat {
namespace {

class Factory {
 public:
  explicit Factory(AnalyzerConfig config) : config_(WithDefaults(std::move(config))) {}

  Result<std::shared_ptr<Analyzer>> Make(Contract contract, const std::filesystem::path& model,
                                         std::shared_ptr<FaceScorer> remote,
                                         const ContractSettings& settings) {
    auto steps = MakeSteps(contract, settings);
    if (!steps) return tl::unexpected(steps.error());
    const bool real_scores = contract == Contract::kWebUpload || contract == Contract::kMesonetApi;
    auto scorer = remote ? Result<std::shared_ptr<FaceScorer>>(std::move(remote))
                         : LoadModel(contract, model, **steps, real_scores);
    if (!scorer) return tl::unexpected(scorer.error());
    if (!decoders_) {
      auto decoders =
          DecoderPool::Create(config_.decoder, MediaLimits{.decoder_wall = config_.decode_timeout});
      if (!decoders) return tl::unexpected(decoders.error());
      decoders_ = std::move(*decoders);
    }
    return MakeFaithfulEngine(decoders_, std::move(*scorer), std::move(*steps), real_scores);
  }

 private:
  Result<std::unique_ptr<Steps>> MakeSteps(Contract contract, const ContractSettings& settings) const {
    switch (contract) {
      case Contract::kWebUpload:
        return MakeWebUploadSteps();
      case Contract::kMesonetApi:
        return MakeMesonet(settings);
      case Contract::kPredictApi:
        return MakePredict();
      case Contract::kMicroserviceV1:
      case Contract::kMicroserviceV2:
        return MakeMicroservice(settings);
    }
    return Fail(ErrorCode::kInternal, "no such contract");
  }

  /// With one of its two face finders at least.
  Result<std::unique_ptr<Steps>> MakeMicroservice(const ContractSettings& settings) const {
    auto mtcnn = Mtcnn::Load(config_.detectors,
                             {.threads = 1, .throughput = false, .cache = config_.cache.value_or("")});
    auto ssd = SsdFinder::Load(settings.face_detection_models);
    // Only files that are absent are replaced; ones that are broken must be noticed.
    if (!mtcnn && (!ssd || mtcnn.error().code != ErrorCode::kNotFound)) return tl::unexpected(mtcnn.error());
    if (!ssd && ssd.error().code != ErrorCode::kNotFound) return tl::unexpected(ssd.error());
    if (!mtcnn) LogWarning("{}; SSD answers where MTCNN is asked for", mtcnn.error().message);
    return MakeMicroserviceSteps(mtcnn.value_or(nullptr), ssd.value_or(nullptr));
  }

  Result<std::unique_ptr<Steps>> MakeMesonet(const ContractSettings& settings) const {
    auto blazeface = CloseUpFinder::Load(
        config_.detectors, {.threads = 1, .throughput = false, .cache = config_.cache.value_or("")});
    if (!blazeface) return tl::unexpected(blazeface.error());
    auto cascade = FrontalCascade::Load(config_.detectors);
    if (!cascade) return tl::unexpected(cascade.error());
    return MakeMesonetSteps(std::move(*blazeface), std::move(*cascade),
                            settings.mesonet_bgr ? Channels::kBgr : Channels::kRgb);
  }

  Result<std::unique_ptr<Steps>> MakePredict() const {
    auto cascade = FrontalCascade::Load(config_.detectors);
    if (!cascade) return tl::unexpected(cascade.error());
    return MakePredictSteps(std::move(*cascade));
  }

  Result<std::shared_ptr<FaceScorer>> LoadModel(Contract contract, const std::filesystem::path& model,
                                                const Steps& steps, bool real_scores) const {
    if (model.empty()) {
      const bool remote_too = contract == Contract::kPredictApi;
      return Fail(ErrorCode::kBadRequest,
                  "the engine 'faithful' needs the original's model, and none was named",
                  fmt::format("add --contract-model {}=PATH{}", ContractName(contract),
                              remote_too ? ", or set TF_SERVING_URL" : ""));
    }
    const NetworkOptions options{.device = config_.device, .threads = config_.threads};
    if (IsVersionFolder(model))
      return LoadVersionScorer(model, steps.input(), steps.values(), real_scores, options);
    return LoadNetworkScorer(model, steps.input(), options);
  }

  const AnalyzerConfig config_;
  std::shared_ptr<DecoderPool> decoders_;
};

}  // namespace

MakeFaithful FaithfulEngines(AnalyzerConfig config) {
  return [factory = std::make_shared<Factory>(std::move(config))](
             Contract contract, const std::filesystem::path& model, std::shared_ptr<FaceScorer> remote,
             const ContractSettings& settings) {
    return factory->Make(contract, model, std::move(remote), settings);
  };
}

}  // namespace unmask::compat
