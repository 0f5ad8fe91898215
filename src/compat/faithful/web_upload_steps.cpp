// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/web_upload_steps.hpp"

#include "compat/faithful/pillow_resize.hpp"

namespace unmask::compat {
namespace {

class WebUploadSteps final : public Steps {
 public:
  cv::Size input() const override { return {224, 224}; }
  CropValues values() const override { return {.channels = Channels::kRgb, .range = 255}; }
  bool turn() const override { return false; }

  Result<std::optional<Region>> Find(const cv::Mat& bgr, const AnalysisOptions&) const override {
    return WholeFrame(bgr);
  }

  void Prepare(const cv::Mat& pixels, const MediaInfo& media, std::span<float> crop) const override {
    const auto resized = media.palette ? PillowNearest(pixels, input()) : PillowBicubic(pixels, input());
    WriteCrop(resized, *values().channels, values().range, crop);
  }
};

}  // namespace

std::unique_ptr<Steps> MakeWebUploadSteps() { return std::make_unique<WebUploadSteps>(); }

}  // namespace unmask::compat
