// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/faithful.hpp"

#include <utility>

#include <fmt/format.h>

#include "analysis/config.hpp"
#include "compat/faithful/engine.hpp"
#include "compat/faithful/network_scorer.hpp"
#include "compat/faithful/web_upload_steps.hpp"

namespace unmask::compat {
namespace {

class Factory {
 public:
  explicit Factory(AnalyzerConfig config) : config_(WithDefaults(std::move(config))) {}

  Result<std::shared_ptr<Analyzer>> Make(Contract contract, const std::filesystem::path& model,
                                         std::shared_ptr<FaceScorer> remote) {
    auto steps = MakeSteps(contract);
    if (!steps) return tl::unexpected(steps.error());
    auto scorer = remote ? Result<std::shared_ptr<FaceScorer>>(std::move(remote))
                         : LoadModel(contract, model, (*steps)->input());
    if (!scorer) return tl::unexpected(scorer.error());
    if (!decoders_) {
      auto decoders =
          DecoderPool::Create(config_.decoder, MediaLimits{.decoder_wall = config_.decode_timeout});
      if (!decoders) return tl::unexpected(decoders.error());
      decoders_ = std::move(*decoders);
    }
    const bool real_scores = contract == Contract::kWebUpload || contract == Contract::kMesonetApi;
    return MakeFaithfulEngine(decoders_, std::move(*scorer), std::move(*steps), real_scores);
  }

 private:
  Result<std::unique_ptr<Steps>> MakeSteps(Contract contract) const {
    switch (contract) {
      case Contract::kWebUpload:
        return MakeWebUploadSteps();
      default:
        return Fail(ErrorCode::kBadRequest, "the engine 'faithful' is not built in");
    }
  }

  Result<std::shared_ptr<FaceScorer>> LoadModel(Contract contract, const std::filesystem::path& model,
                                                cv::Size crop) const {
    if (model.empty()) {
      const bool remote_too = contract == Contract::kPredictApi;
      return Fail(ErrorCode::kBadRequest,
                  "the engine 'faithful' needs the original's model, and none was named",
                  fmt::format("add --contract-model {}=PATH{}", ContractName(contract),
                              remote_too ? ", or set TF_SERVING_URL" : ""));
    }
    return LoadNetworkScorer(model, crop, {.device = config_.device, .threads = config_.threads});
  }

  const AnalyzerConfig config_;
  std::shared_ptr<DecoderPool> decoders_;
};

}  // namespace

MakeFaithful FaithfulEngines(AnalyzerConfig config) {
  return [factory = std::make_shared<Factory>(std::move(config))](
             Contract contract, const std::filesystem::path& model, std::shared_ptr<FaceScorer> remote) {
    return factory->Make(contract, model, std::move(remote));
  };
}

}  // namespace unmask::compat
