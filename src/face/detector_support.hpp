// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <string>

#include <opencv2/core.hpp>
#include <spdlog/spdlog.h>

#include "face/face.hpp"
#include "face/letterbox.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// The faces whose centre lies in the picture and that are not more than twice as long as it: nobody has to
/// care about wild boxes later.
std::vector<Face> Plausible(std::vector<Face> faces, cv::Size picture);

/// A square around `expected`, four times as large as its longer side; may reach beyond the picture's edges.
/// Empty when it lies outside or the box has no usable size.
cv::Rect Neighbourhood(const Box& expected, cv::Size picture);

/// The face that overlaps `expected` most, if any does by a tenth (IoU).
std::optional<Face> BestOverlap(std::span<const Face> faces, const Box& expected);

/// Keeps the promises that every FaceDetector makes about bad pictures and failing engines.
class DetectorGuard {
 public:
  explicit DetectorGuard(std::string name) : name_(std::move(name)) {}

  /// `find` of the picture as CV_8UC3, if it has any pixel, less the boxes that no face in it can have. What
  /// goes wrong is logged, the first time.
  template <typename Find>
  std::vector<Face> Run(const cv::Mat& picture, Find find) {
    try {
      const cv::Mat bgr = AsBgr(picture);
      if (bgr.empty()) return {};
      Result<std::vector<Face>> faces = find(bgr);
      if (faces) return Plausible(std::move(*faces), bgr.size());
      Log(faces.error().message);
    } catch (const cv::Exception& e) {
      Log(e.what());
    }
    return {};
  }

  /// Keeps the promises of DetectNear(): `find` of the picture and the part of it around `expected`.
  template <typename Find>
  std::optional<Face> RunNear(const cv::Mat& picture, const Box& expected, Find find) {
    const auto faces = Run(picture, [&](const cv::Mat& bgr) -> Result<std::vector<Face>> {
      const cv::Rect region = Neighbourhood(expected, bgr.size());
      if (region.empty()) return std::vector<Face>();
      return find(bgr, region);
    });
    return BestOverlap(faces, expected);
  }

 private:
  void Log(const std::string& message) {
    if (!logged_.exchange(true))
      spdlog::error("the face detector {} failed and finds no face (said once): {}", name_, message);
  }

  std::string name_;
  std::atomic<bool> logged_ = false;
};

/// Strongest first; equal ones stay in their order.
void SortByScore(std::vector<Face>& faces);

/// At most `count` faces, of those that come first.
std::vector<Face> Strongest(std::vector<Face> faces, int count);

}  // namespace unmask
