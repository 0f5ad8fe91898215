// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <mutex>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

#include "face/box_mapping.hpp"
#include "face/detector_support.hpp"
#include "face/detectors.hpp"
#include "face/geometry.hpp"

namespace unmask {
namespace {

constexpr int kLongSide = 640;  // 57 ms at 360 lines, 1.3 s at 1080: a larger picture is not worth it
constexpr int kMinFace = 30;
constexpr double kScaleStep = 1.1;
constexpr int kMinNeighbours = 5;
// The cascade gives the margin by which a window passed its last stage, not a probability. At this margin a
// window is taken for as good as certain; the weakest that pass count as kLeastScore.
constexpr double kSureMargin = 8;
constexpr double kLeastScore = 0.5;

class Haar final : public FaceDetector {
 public:
  Haar(const DetectorOptions& options, cv::CascadeClassifier cascade)
      : options_(options), cascade_(std::move(cascade)) {}

  std::vector<Face> Detect(const cv::Mat& picture, Effort) override {
    return guard_.Run(picture, [&](const cv::Mat& bgr) { return Find(bgr, cv::Rect({0, 0}, bgr.size())); });
  }

  std::optional<Face> DetectNear(const cv::Mat& picture, const Box& expected) override {
    return guard_.RunNear(picture, expected,
                          [&](const cv::Mat& bgr, const cv::Rect& region) { return Find(bgr, region); });
  }

  std::string name() const override { return "haar"; }

 private:
  Result<std::vector<Face>> Find(const cv::Mat& bgr, const cv::Rect& region) {
    const int side = std::min(kLongSide, std::max(region.width, region.height));
    const double ratio = static_cast<double>(side) / std::max(region.width, region.height);
    const auto scaled = [&](int length) { return std::max(1, static_cast<int>(length * ratio)); };
    const Letterbox letterbox = FitInto(region, cv::Size(scaled(region.width), scaled(region.height)));
    cv::Mat grey;
    cv::cvtColor(Render(bgr, letterbox), grey, cv::COLOR_BGR2GRAY);
    cv::equalizeHist(grey, grey);

    std::vector<cv::Rect> boxes;
    std::vector<int> levels;
    std::vector<double> margins;
    {
      const std::lock_guard lock(mutex_);
      cascade_.detectMultiScale(grey, boxes, levels, margins, kScaleStep, kMinNeighbours, 0,
                                cv::Size(kMinFace, kMinFace), cv::Size(), true);
    }
    std::vector<Face> faces;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const double margin = i < margins.size() ? std::clamp(margins[i] / kSureMargin, 0.0, 1.0) : 0;
      const double score = kLeastScore + (1 - kLeastScore) * margin;
      if (score < options_.min_score) continue;
      faces.push_back({.box = FromHaar(letterbox.ToPicture(ToBox(boxes[i]))), .score = score});
    }
    SortByScore(faces);
    return Strongest(std::move(faces), options_.max_faces);
  }

  DetectorOptions options_;
  DetectorGuard guard_{"haar"};
  std::mutex mutex_;  // the classifier keeps buffers between calls
  cv::CascadeClassifier cascade_;
};

}  // namespace

Result<std::unique_ptr<FaceDetector>> MakeHaar(const DetectorOptions& options) {
  const auto file = options.folder / "haarcascade_frontalface_default.xml";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    return Fail(ErrorCode::kNotFound, fmt::format("no face detector at {}: no such file", file.string()),
                "run tools/setup.sh");
  try {
    cv::CascadeClassifier cascade;
    if (cascade.load(file.string())) return std::make_unique<Haar>(options, std::move(cascade));
  } catch (const cv::Exception&) {  // malformed XML; the message below says so
  }
  return Fail(ErrorCode::kInternal, fmt::format("{} is not a cascade that OpenCV can read", file.string()),
              "run tools/setup.sh again");
}

}  // namespace unmask
