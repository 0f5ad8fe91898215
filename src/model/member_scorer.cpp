// SPDX-License-Identifier: Apache-2.0
#include "model/member_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

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

/// The outputs of crops that are computed in several calls, which end in any order.
struct Gathered {
  Gathered(std::size_t faces, MemberScorer::Done then)
      : outputs(faces), missing(faces), done(std::move(then)) {}

  void Put(std::size_t first, std::size_t faces, Result<std::vector<MemberOutput>> part) {
    {
      const std::lock_guard lock(mutex);
      if (part)
        std::move(part->begin(), part->begin() + static_cast<std::ptrdiff_t>(faces),
                  outputs.begin() + static_cast<std::ptrdiff_t>(first));
      else if (!error)
        error = part.error();
      missing -= faces;
      if (missing > 0) return;
    }
    if (error)
      done(tl::unexpected(std::move(*error)));
    else
      done(std::move(outputs));
  }

  std::mutex mutex;
  std::vector<MemberOutput> outputs;
  std::size_t missing;
  std::optional<Error> error;
  const MemberScorer::Done done;
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

Result<std::vector<MemberOutput>> TakeOutputs(const Result<std::vector<Tensor>>& outputs,
                                              const ModelCard& card, std::size_t faces) {
  if (!outputs) return tl::unexpected(outputs.error());
  const auto logits = FindOutput(*outputs, card.output_name, faces, 1);
  if (!logits) return tl::unexpected(logits.error());
  std::vector<MemberOutput> scores(faces);
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

MemberScorer::MemberScorer(ModelCard card, std::unique_ptr<Network> network, std::size_t batch)
    : card_(std::move(card)), network_(std::move(network)), batch_(batch) {}

cv::Mat MemberScorer::Prepare(const cv::Mat& crop) const {
  const cv::Size size = InputSize(card_.input);
  const bool shrinks = crop.cols >= size.width && crop.rows >= size.height;
  cv::Mat result;
  cv::resize(crop, result, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  return result;
}

void MemberScorer::Start(std::span<const cv::Mat> prepared, const std::stop_token& stop, Done done) const {
  if (prepared.empty()) return done(std::vector<MemberOutput>{});
  for (const cv::Mat& face : prepared)
    if (face.size() != InputSize(card_.input) || face.type() != CV_8UC3)
      return done(Fail(ErrorCode::kBadRequest, "a crop was not prepared for the network"));
  const auto gathered = std::make_shared<Gathered>(prepared.size(), std::move(done));
  const std::size_t step = batch_ == 0 ? prepared.size() : batch_;
  for (std::size_t first = 0; first < prepared.size(); first += step) {
    const auto part = prepared.subspan(first, std::min(step, prepared.size() - first));
    // Pending calls end before the network is destroyed, and with it the card.
    network_->Start(ToTensor(part, card_.input, step), stop,
                    [this, gathered, first, faces = part.size(), step](const auto& outputs) {
                      gathered->Put(first, faces, TakeOutputs(outputs, card_, step));
                    });
  }
}

}  // namespace unmask
