// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/microservice_steps.hpp"

#include <utility>

#include <opencv2/imgproc.hpp>

#include "compat/faithful/crop.hpp"

namespace unmask::compat {
namespace {

class MicroserviceSteps final : public Steps {
 public:
  MicroserviceSteps(std::shared_ptr<Mtcnn> mtcnn, std::shared_ptr<SsdFinder> ssd)
      : mtcnn_(std::move(mtcnn)), ssd_(std::move(ssd)) {}

  cv::Size input() const override { return {224, 224}; }
  CropValues values() const override { return {.channels = Channels::kBgr, .range = 1}; }
  std::string_view finder() const override { return mtcnn_ ? "mtcnn" : "ssd"; }

  Result<std::optional<Region>> Find(const cv::Mat& bgr, const AnalysisOptions& options) const override {
    const bool by_ssd = ssd_ != nullptr && (options.face_finder == "SSD" || mtcnn_ == nullptr);
    auto found = by_ssd ? FindBySsd(bgr) : FindByMtcnn(bgr);
    if (!found || !*found) return found;
    Region& region = **found;
    region.rect &= cv::Rect({0, 0}, bgr.size());  // as a slice of an array is cut off
    if (region.rect.empty())
      return Fail(ErrorCode::kUndecodable, "the box of the face that was found has no pixel of the picture");
    return found;
  }

  void Prepare(const cv::Mat& pixels, const MediaInfo&, std::span<float> crop) const override {
    cv::Mat resized;
    cv::resize(pixels, resized, input(), 0, 0, cv::INTER_LINEAR);
    WriteCrop(resized, *values().channels, values().range, crop);
  }

 private:
  Result<std::optional<Region>> FindBySsd(const cv::Mat& bgr) const {
    const auto face = ssd_->Find(bgr);
    if (!face) return tl::unexpected(face.error());
    if (!*face) return std::nullopt;
    return Region{.rect = (*face)->box, .score = (*face)->score, .finder = "ssd"};
  }

  Result<std::optional<Region>> FindByMtcnn(const cv::Mat& bgr) const {
    const auto faces = mtcnn_->Find(bgr);
    if (!faces) return tl::unexpected(faces.error());
    if (faces->empty()) return std::nullopt;
    return Region{.rect = faces->front().box, .score = faces->front().score, .finder = "mtcnn"};
  }

  const std::shared_ptr<Mtcnn> mtcnn_;
  const std::shared_ptr<SsdFinder> ssd_;
};

}  // namespace

std::unique_ptr<Steps> MakeMicroserviceSteps(std::shared_ptr<Mtcnn> mtcnn, std::shared_ptr<SsdFinder> ssd) {
  return std::make_unique<MicroserviceSteps>(std::move(mtcnn), std::move(ssd));
}

}  // namespace unmask::compat
