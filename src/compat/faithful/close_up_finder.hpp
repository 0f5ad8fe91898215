// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "face/blazeface_network.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

/// A face as MediaPipe's FaceDetection gives it.
struct RelativeFace {
  float x = 0, y = 0, width = 0, height = 0;  ///< of the picture's size
  double score = 0;                           ///< 0..1

  /// Its box in pixels, each number truncated by itself, as services do.
  cv::Rect Truncated(cv::Size picture) const;
};

/// FaceDetection of MediaPipe with model_selection 0: the short-range BlazeFace on the whole picture, which
/// is put into the network's square with black beside it, bilinear without antialiasing. Thread-safe.
class CloseUpFinder {
 public:
  /// Reads face_detection_short_range.tflite in a folder. Fails as BlazeFaceNetwork::Load() does.
  static Result<std::shared_ptr<CloseUpFinder>> Load(const std::filesystem::path& folder,
                                                     const NetworkOptions& options);

  /// Faces from `min_score` on, strongest first. `bgr` is CV_8UC3.
  Result<std::vector<RelativeFace>> Find(const cv::Mat& bgr, double min_score) const;

 private:
  explicit CloseUpFinder(std::unique_ptr<BlazeFaceNetwork> network) : network_(std::move(network)) {}

  std::unique_ptr<BlazeFaceNetwork> network_;
};

}  // namespace unmask::compat
