// SPDX-License-Identifier: Apache-2.0
#include "model/scorer.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "model/calibration.hpp"
#include "model/repository.hpp"

namespace unmask {
namespace {

/// Interleaved bytes to normalised float planes.
void AppendPlanes(const cv::Mat& bgr, const ModelInput& input, std::vector<float>& values) {
  for (int c = 0; c < 3; ++c) {
    const int channel = input.rgb ? 2 - c : c;
    const auto i = static_cast<std::size_t>(c);
    const float factor = 1 / input.scale[i];
    for (int y = 0; y < bgr.rows; ++y) {
      const std::uint8_t* row = bgr.ptr<std::uint8_t>(y);
      for (int x = 0; x < bgr.cols; ++x)
        values.push_back((static_cast<float>(row[3 * x + channel]) - input.mean[i]) * factor);
    }
  }
}

Result<std::vector<float>> TakeLogits(Result<std::vector<Tensor>> outputs, const std::string& name,
                                      std::size_t faces) {
  if (!outputs) return tl::unexpected(outputs.error());
  auto logits =
      std::find_if(outputs->begin(), outputs->end(), [&](const Tensor& t) { return t.name == name; });
  if (logits == outputs->end() && outputs->size() == 1) logits = outputs->begin();
  if (logits == outputs->end() || logits->values.size() != faces)
    return Fail(ErrorCode::kInternal,
                fmt::format("the network has no output '{}' with one value a face", name));
  for (const float value : logits->values)
    if (!std::isfinite(value))
      return Fail(ErrorCode::kInternal, "the network gave a value that is not finite",
                  "check the model with `unmask doctor`");
  return std::move(logits->values);
}

}  // namespace

Result<std::unique_ptr<Scorer>> Scorer::Load(ModelCard card, const NetworkOptions& options) {
  if (auto verified = ModelRepository::Verify(card); !verified) return tl::unexpected(verified.error());
  auto network = LoadNetwork(card.folder / card.network_file, options);
  if (!network) return tl::unexpected(network.error());
  return std::make_unique<Scorer>(std::move(card), std::move(*network));
}

Scorer::Scorer(ModelCard card, std::unique_ptr<Network> network)
    : card_(std::move(card)), network_(std::move(network)) {}

cv::Mat Scorer::Prepare(const cv::Mat& crop) const {
  const cv::Size size(card_.input.width, card_.input.height);
  const bool shrinks = crop.cols >= size.width && crop.rows >= size.height;
  cv::Mat result;
  cv::resize(crop, result, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

std::future<Result<std::vector<float>>> Scorer::Start(std::span<const cv::Mat> prepared) const {
  auto promise = std::make_shared<std::promise<Result<std::vector<float>>>>();
  auto future = promise->get_future();
  if (prepared.empty()) {
    promise->set_value(std::vector<float>{});
    return future;
  }
  const ModelInput& input = card_.input;
  Tensor batch;
  batch.shape = {prepared.size(), 3, static_cast<std::size_t>(input.height),
                 static_cast<std::size_t>(input.width)};
  batch.values.reserve(prepared.size() * batch.shape[1] * batch.shape[2] * batch.shape[3]);
  for (const cv::Mat& face : prepared) AppendPlanes(face, input, batch.values);
  network_->Start(std::move(batch), [promise, name = card_.output_name,
                                     faces = prepared.size()](Result<std::vector<Tensor>> outputs) {
    promise->set_value(TakeLogits(std::move(outputs), name, faces));
  });
  return future;
}

double Scorer::Calibrate(double logit) const { return CalibratedScore(logit, card_.calibration); }

}  // namespace unmask
