// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "unmask/error.hpp"

namespace unmask::compat {

/// How a service calls OpenCV's detectMultiScale().
struct CascadeCall {
  double scale_factor = 1.1;
  int min_neighbours = 3;
  int min_side = 0;  ///< of faces, pixels; 0: the cascade's own 24
};

/// OpenCV's cascade of frontal faces on the grey picture as it is: no equalisation, no other size.
/// Thread-safe; calls wait for each other.
class FrontalCascade {
 public:
  /// Reads haarcascade_frontalface_default.xml in a folder. kNotFound, or kInternal for another file.
  static Result<std::shared_ptr<FrontalCascade>> Load(const std::filesystem::path& folder);
  virtual ~FrontalCascade() = default;

  /// The boxes in OpenCV's order, which is the same each time: it computes in one thread here. `bgr` is
  /// CV_8UC3.
  virtual std::vector<cv::Rect> Find(const cv::Mat& bgr, const CascadeCall& call) = 0;
};

}  // namespace unmask::compat
