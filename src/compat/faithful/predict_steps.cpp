// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/predict_steps.hpp"

#include <algorithm>
#include <utility>

#include <opencv2/imgproc.hpp>

#include "compat/faithful/crop.hpp"
#include "compat/predict/sampling.hpp"
#include "compat/video_frames.hpp"

namespace unmask::compat {
namespace {

constexpr CascadeCall kCall{.scale_factor = 1.1, .min_neighbours = 5, .min_side = 30};
constexpr double kGrowth = 1.2;

class PredictSteps final : public Steps {
 public:
  explicit PredictSteps(std::shared_ptr<FrontalCascade> cascade) : cascade_(std::move(cascade)) {}

  cv::Size input() const override { return {64, 64}; }
  CropValues values() const override { return {.channels = Channels::kRgb, .range = 255}; }
  std::string_view finder() const override { return "haar"; }

  Result<std::optional<Region>> Find(const cv::Mat& bgr, const AnalysisOptions&) const override {
    const auto rect = PredictRegion(cascade_->Find(bgr, kCall), bgr.size());
    if (!rect) return std::nullopt;
    return Region{.rect = *rect, .score = 1, .finder = "haar"};
  }

  void Prepare(const cv::Mat& pixels, const MediaInfo&, std::span<float> crop) const override {
    cv::Mat resized;
    cv::resize(pixels, resized, input(), 0, 0, cv::INTER_AREA);
    WriteCrop(resized, *values().channels, values().range, crop);
  }

  std::vector<std::int64_t> Fallback(const MediaFacts& media) const override {
    return PredictFallback(CountFrames(media));
  }
  double FallbackTime(const MediaFacts& media, std::int64_t index) const override {
    return static_cast<double>(index) / PredictSourceFps(media.fps);
  }

 private:
  const std::shared_ptr<FrontalCascade> cascade_;
};

}  // namespace

std::optional<cv::Rect> PredictRegion(std::span<const cv::Rect> boxes, cv::Size picture) {
  const auto largest = std::max_element(
      boxes.begin(), boxes.end(), [](const cv::Rect& a, const cv::Rect& b) { return a.area() < b.area(); });
  if (largest == boxes.end()) return std::nullopt;
  const double width = largest->width * kGrowth, height = largest->height * kGrowth;
  const double x = largest->x + largest->width / 2.0, y = largest->y + largest->height / 2.0;
  const cv::Point first(static_cast<int>(x - width / 2), static_cast<int>(y - height / 2));
  const cv::Point end(static_cast<int>(x + width / 2), static_cast<int>(y + height / 2));
  return cv::Rect(first, end) & cv::Rect({0, 0}, picture);
}

std::unique_ptr<Steps> MakePredictSteps(std::shared_ptr<FrontalCascade> cascade) {
  return std::make_unique<PredictSteps>(std::move(cascade));
}

}  // namespace unmask::compat
