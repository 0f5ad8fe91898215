// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/scorer.hpp"

#include <utility>

namespace unmask::compat {
namespace {

class TfServingScorer : public FaceScorer {
 public:
  TfServingScorer(std::shared_ptr<TfServing> serving, std::string name)
      : serving_(std::move(serving)), name_(std::move(name)) {}

  Result<std::vector<float>> Score(const CropBatch& crops, std::stop_token stop) override {
    if (crops.count == 0) return std::vector<float>();
    return serving_->Predict(
        crops.values, {.count = crops.count, .height = crops.height, .width = crops.width}, std::move(stop));
  }

  ModelFacts facts() const override {
    return {.name = name_, .version = 0, .sha256 = "", .calibrated = false};
  }

 private:
  const std::shared_ptr<TfServing> serving_;
  const std::string name_;
};

}  // namespace

std::shared_ptr<FaceScorer> MakeTfServingScorer(std::shared_ptr<TfServing> serving, std::string name) {
  return std::make_shared<TfServingScorer>(std::move(serving), std::move(name));
}

}  // namespace unmask::compat
