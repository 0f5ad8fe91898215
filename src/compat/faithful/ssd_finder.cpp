// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/ssd_finder.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>

namespace unmask::compat {
namespace {

const cv::Size kInput{300, 300};
const cv::Scalar kMean{104, 177, 123};  // of blue, green and red in its training data
constexpr float kMinConfidence = 0.5F;
constexpr int kNumbers = 7;  // of a detection: picture, class, confidence, four corners

class CaffeSsd final : public SsdFinder {
 public:
  explicit CaffeSsd(cv::dnn::Net net) : net_(std::move(net)) {}

  Result<std::optional<SsdDetection>> Find(const cv::Mat& bgr) override {
    try {
      cv::Mat resized;
      cv::resize(bgr, resized, kInput);
      const cv::Mat blob = cv::dnn::blobFromImage(resized, 1, kInput, kMean);
      const std::lock_guard lock(mutex_);
      net_.setInput(blob);
      const cv::Mat output = net_.forward();
      if (output.dims != 4 || output.size[3] != kNumbers)
        return Fail(ErrorCode::kInternal, "expected a network that gives detections of seven numbers");
      return FirstConfident(cv::Mat(output.size[2], kNumbers, CV_32F, output.data), bgr.size());
    } catch (const cv::Exception& e) {
      return Fail(ErrorCode::kInternal, fmt::format("the SSD network failed: {}", e.what()));
    }
  }

 private:
  std::mutex mutex_;  // a network holds the data of one call
  cv::dnn::Net net_;
};

}  // namespace

Result<std::shared_ptr<SsdFinder>> SsdFinder::Load(const std::filesystem::path& folder) {
  const auto layers = folder / "deploy.prototxt.txt";
  const auto weights = folder / "res10_300x300_ssd_iter_140000.caffemodel";
  std::error_code ignored;
  for (const auto& file : {layers, weights})
    if (!std::filesystem::is_regular_file(file, ignored))
      return Fail(ErrorCode::kNotFound, fmt::format("no SSD at {}: no such file", file.string()),
                  "set FACE_DETECTION_MODELS to the folder with the original's two files");
  try {
    const auto finder =
        std::make_shared<CaffeSsd>(cv::dnn::readNetFromCaffe(layers.string(), weights.string()));
    const auto found = finder->Find(cv::Mat::zeros(kInput, CV_8UC3));
    if (!found)
      return Fail(found.error().code, fmt::format("{}: {}", folder.string(), found.error().message));
    return finder;
  } catch (const cv::Exception& e) {
    return Fail(ErrorCode::kInternal,
                fmt::format("cannot load the SSD in {}: {}", folder.string(), e.what()));
  }
}

std::optional<SsdDetection> FirstConfident(const cv::Mat& rows, cv::Size picture) {
  for (int i = 0; i < rows.rows; ++i) {
    const float* row = rows.ptr<float>(i);
    if (!(row[2] > kMinConfidence)) continue;
    const auto corner = [](float part, int side) {
      // A NumPy float32 array times an array of ints is one of doubles.
      return static_cast<int>(std::clamp(static_cast<double>(part) * side, 0.0, static_cast<double>(side)));
    };
    const cv::Point first(corner(row[3], picture.width), corner(row[4], picture.height));
    const cv::Point end(corner(row[5], picture.width), corner(row[6], picture.height));
    return SsdDetection{.box = {first.x, first.y, std::max(0, end.x - first.x), std::max(0, end.y - first.y)},
                        .score = static_cast<double>(row[2])};
  }
  return std::nullopt;
}

}  // namespace unmask::compat
