// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/frontal_cascade.hpp"

#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

namespace unmask::compat {
namespace {

class LoadedCascade final : public FrontalCascade {
 public:
  explicit LoadedCascade(cv::CascadeClassifier cascade) : cascade_(std::move(cascade)) {}

  std::vector<cv::Rect> Find(const cv::Mat& bgr, const CascadeCall& call) override {
    cv::Mat grey;
    cv::cvtColor(bgr, grey, cv::COLOR_BGR2GRAY);
    std::vector<cv::Rect> boxes;
    const std::lock_guard lock(mutex_);
    cascade_.detectMultiScale(grey, boxes, call.scale_factor, call.min_neighbours, 0,
                              cv::Size(call.min_side, call.min_side));
    return boxes;
  }

 private:
  std::mutex mutex_;  // the classifier keeps buffers between calls
  cv::CascadeClassifier cascade_;
};

}  // namespace

Result<std::shared_ptr<FrontalCascade>> FrontalCascade::Load(const std::filesystem::path& folder) {
  const auto file = folder / "haarcascade_frontalface_default.xml";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored))
    return Fail(ErrorCode::kNotFound, fmt::format("no face detector at {}: no such file", file.string()),
                "run tools/setup.sh");
  // With several threads the boxes come in the order in which the threads happen to find them, and services
  // take the first. OpenCV has one such number for the process; its other work here is small.
  cv::setNumThreads(1);
  try {
    cv::CascadeClassifier cascade;
    if (cascade.load(file.string())) return std::make_shared<LoadedCascade>(std::move(cascade));
  } catch (const cv::Exception&) {  // malformed XML; the message below says so
  }
  return Fail(ErrorCode::kInternal, fmt::format("{} is not a cascade that OpenCV can read", file.string()),
              "run tools/setup.sh again");
}

}  // namespace unmask::compat
