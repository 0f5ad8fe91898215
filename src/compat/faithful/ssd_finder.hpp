// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include <opencv2/core/mat.hpp>

#include "unmask/error.hpp"

namespace unmask::compat {

/// A face of the SSD network, or any detection: its box is within the picture and may be empty.
struct SsdDetection {
  cv::Rect box;
  double score = 0;  ///< 0..1
};

/// OpenCV's face detector of 2017 (an SSD on a ResNet of ten layers) from its two Caffe files, which the
/// operator has. Thread-safe; calls wait for each other.
class SsdFinder {
 public:
  /// Reads deploy.prototxt.txt and res10_300x300_ssd_iter_140000.caffemodel in a folder and runs the network
  /// once. kNotFound when one is absent; kInternal, with OpenCV's words, when they make no such network.
  static Result<std::shared_ptr<SsdFinder>> Load(const std::filesystem::path& folder);
  virtual ~SsdFinder() = default;

  /// The first detection, in the network's order, of a confidence above one half. `bgr` is CV_8UC3.
  virtual Result<std::optional<SsdDetection>> Find(const cv::Mat& bgr) = 0;
};

/// The same from the network's output: rows of seven numbers, of which the last five are the confidence and
/// the box's corners in parts of the picture's sides. Corners are truncated and cut off at its edges.
std::optional<SsdDetection> FirstConfident(const cv::Mat& rows, cv::Size picture);

}  // namespace unmask::compat
