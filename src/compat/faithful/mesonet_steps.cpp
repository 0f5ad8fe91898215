// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/mesonet_steps.hpp"

#include <algorithm>
#include <utility>

#include <opencv2/imgproc.hpp>

namespace unmask::compat {
namespace {

constexpr CascadeCall kCall{.scale_factor = 1.1, .min_neighbours = 4};
constexpr double kPadding = 0.1;
constexpr double kMinConfidence = 0.5;  // min_detection_confidence of the service's FaceDetection

class MesonetSteps final : public Steps {
 public:
  MesonetSteps(std::shared_ptr<CloseUpFinder> blazeface, std::shared_ptr<FrontalCascade> cascade,
               Channels channels)
      : blazeface_(std::move(blazeface)), cascade_(std::move(cascade)), channels_(channels) {}

  cv::Size input() const override { return {256, 256}; }
  CropValues values() const override { return {.channels = std::nullopt, .range = 255}; }
  std::string_view finder() const override { return "blazeface"; }

  Result<std::optional<Region>> Find(const cv::Mat& bgr, const AnalysisOptions&) const override {
    const auto faces = blazeface_->Find(bgr, kMinConfidence);
    if (!faces) return tl::unexpected(faces.error());
    if (!faces->empty()) {
      const auto rect = MesonetRegion(faces->front().Truncated(bgr.size()), bgr.size());
      if (!rect.empty()) return Region{.rect = rect, .score = faces->front().score, .finder = "blazeface"};
    }
    const auto boxes = cascade_->Find(bgr, kCall);
    if (boxes.empty()) return std::nullopt;
    const auto rect = MesonetRegion(boxes.front(), bgr.size());
    if (rect.empty()) return std::nullopt;
    return Region{.rect = rect, .score = 1, .finder = "haar"};
  }

  void Prepare(const cv::Mat& pixels, const MediaInfo&, std::span<float> crop) const override {
    cv::Mat resized;
    cv::resize(pixels, resized, input(), 0, 0, cv::INTER_LINEAR);
    WriteCrop(resized, channels_, values().range, crop);
  }

 private:
  const std::shared_ptr<CloseUpFinder> blazeface_;
  const std::shared_ptr<FrontalCascade> cascade_;
  const Channels channels_;
};

}  // namespace

cv::Rect MesonetRegion(cv::Rect box, cv::Size picture) {
  const int pad_x = static_cast<int>(box.width * kPadding);
  const int pad_y = static_cast<int>(box.height * kPadding);
  const int x = std::max(0, box.x - pad_x);
  const int y = std::max(0, box.y - pad_y);
  return {x, y, std::max(0, std::min(picture.width - x, box.width + 2 * pad_x)),
          std::max(0, std::min(picture.height - y, box.height + 2 * pad_y))};
}

std::unique_ptr<Steps> MakeMesonetSteps(std::shared_ptr<CloseUpFinder> blazeface,
                                        std::shared_ptr<FrontalCascade> cascade, Channels channels) {
  return std::make_unique<MesonetSteps>(std::move(blazeface), std::move(cascade), channels);
}

}  // namespace unmask::compat
