// SPDX-License-Identifier: Apache-2.0
#include "model/scorer.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "model/calibration.hpp"
#include "model/model_network.hpp"

namespace unmask {
namespace {

cv::Size InputSize(const ModelInput& input) { return {input.width, input.height}; }

/// Interleaved bytes to three normalised float planes at `plane`.
void WritePlanes(const cv::Mat& bgr, const ModelInput& input, float* plane) {
  for (int c = 0; c < 3; ++c) {
    const int channel = input.rgb ? 2 - c : c;
    const auto i = static_cast<std::size_t>(c);
    const float mean = input.mean[i];
    const float factor = 1 / input.scale[i];
    for (int y = 0; y < bgr.rows; ++y) {
      const std::uint8_t* pixel = bgr.ptr<std::uint8_t>(y) + channel;
      for (int x = 0; x < bgr.cols; ++x, pixel += 3) *plane++ = (static_cast<float>(*pixel) - mean) * factor;
    }
  }
}

/// Crops as the network takes them; a batch that they do not fill ends with zeros.
Tensor ToTensor(std::span<const cv::Mat> faces, const ModelInput& input, std::size_t batch) {
  Tensor tensor;
  tensor.shape = {batch, 3, static_cast<std::size_t>(input.height), static_cast<std::size_t>(input.width)};
  const std::size_t size = tensor.shape[1] * tensor.shape[2] * tensor.shape[3];
  tensor.values.resize(batch * size);
  for (std::size_t i = 0; i < faces.size(); ++i)
    WritePlanes(faces[i], input, tensor.values.data() + i * size);
  return tensor;
}

/// The scores of crops that are computed in several calls, which end in any order.
struct Gathered {
  explicit Gathered(std::size_t faces) : scores(faces), missing(faces) {}

  void Put(std::size_t first, std::size_t faces, Result<std::vector<FaceScore>> part) {
    const std::lock_guard lock(mutex);
    if (part)
      std::move(part->begin(), part->begin() + static_cast<std::ptrdiff_t>(faces),
                scores.begin() + static_cast<std::ptrdiff_t>(first));
    else if (!error)
      error = part.error();
    missing -= faces;
    if (missing > 0) return;
    if (error)
      promise.set_value(tl::unexpected(std::move(*error)));
    else
      promise.set_value(std::move(scores));
  }

  std::mutex mutex;
  std::vector<FaceScore> scores;
  std::size_t missing;
  std::optional<Error> error;
  std::promise<Result<std::vector<FaceScore>>> promise;
};

/// The output `name`, with `count` finite values for each of `faces`.
Result<const Tensor*> FindOutput(const std::vector<Tensor>& outputs, const std::string& name,
                                 std::size_t faces, std::size_t count) {
  auto found = std::find_if(outputs.begin(), outputs.end(), [&](const Tensor& t) { return t.name == name; });
  if (found == outputs.end() && outputs.size() == 1) found = outputs.begin();
  if (found == outputs.end() || found->values.size() != faces * count)
    return Fail(ErrorCode::kInternal,
                fmt::format("the network has no output '{}' with {} values a face", name, count));
  for (const float value : found->values)
    if (!std::isfinite(value))
      return Fail(ErrorCode::kInternal, "the network gave a value that is not finite",
                  "check the model with `unmask doctor`");
  return &*found;
}

Result<std::vector<FaceScore>> TakeScores(const Result<std::vector<Tensor>>& outputs, const ModelCard& card,
                                          std::size_t faces) {
  if (!outputs) return tl::unexpected(outputs.error());
  const auto logits = FindOutput(*outputs, card.output_name, faces, 1);
  if (!logits) return tl::unexpected(logits.error());
  std::vector<FaceScore> scores(faces);
  for (std::size_t i = 0; i < faces; ++i) scores[i].logit = (*logits)->values[i];
  if (card.mask.name.empty()) return scores;

  const auto cells = static_cast<std::size_t>(card.mask.width) * static_cast<std::size_t>(card.mask.height);
  const auto masks = FindOutput(*outputs, card.mask.name, faces, cells);
  if (!masks) return tl::unexpected(masks.error());
  for (std::size_t i = 0; i < faces; ++i) {
    const auto first = (*masks)->values.begin() + static_cast<std::ptrdiff_t>(i * cells);
    scores[i].mask.assign(first, first + static_cast<std::ptrdiff_t>(cells));
    for (float& value : scores[i].mask) value = std::clamp(value, 0.0F, 1.0F);
  }
  return scores;
}

}  // namespace

Result<std::unique_ptr<Scorer>> Scorer::Load(ModelCard card, const NetworkOptions& options) {
  auto loaded = LoadModelNetwork(card, options);
  if (!loaded) return tl::unexpected(loaded.error());
  return std::make_unique<Scorer>(std::move(card), std::move(loaded->network), loaded->batch);
}

Scorer::Scorer(ModelCard card, std::unique_ptr<Network> network, std::size_t batch)
    : card_(std::move(card)), network_(std::move(network)), batch_(batch) {}

cv::Mat Scorer::Prepare(const cv::Mat& crop) const {
  const cv::Size size = InputSize(card_.input);
  const bool shrinks = crop.cols >= size.width && crop.rows >= size.height;
  cv::Mat result;
  cv::resize(crop, result, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

std::future<Result<std::vector<FaceScore>>> Scorer::Start(std::span<const cv::Mat> prepared,
                                                          std::stop_token stop) const {
  auto gathered = std::make_shared<Gathered>(prepared.size());
  auto future = gathered->promise.get_future();
  if (prepared.empty()) gathered->promise.set_value(std::vector<FaceScore>{});
  for (const cv::Mat& face : prepared) {
    if (face.size() == InputSize(card_.input) && face.type() == CV_8UC3) continue;
    gathered->promise.set_value(Fail(ErrorCode::kBadRequest, "a crop was not prepared for the network"));
    return future;
  }
  const std::size_t step = batch_ == 0 ? prepared.size() : batch_;
  for (std::size_t first = 0; first < prepared.size(); first += step) {
    const auto part = prepared.subspan(first, std::min(step, prepared.size() - first));
    // Pending calls end before the network is destroyed, and with it the card.
    network_->Start(ToTensor(part, card_.input, step), stop,
                    [this, gathered, first, faces = part.size(), step](const auto& outputs) {
                      gathered->Put(first, faces, TakeScores(outputs, card_, step));
                    });
  }
  return future;
}

double Scorer::Calibrate(double logit) const { return CalibratedScore(logit, card_.calibration); }

}  // namespace unmask
