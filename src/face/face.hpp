// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "unmask/picture.hpp"

namespace unmask {

/// A point in pixels of the upright picture.
struct Point {
  double x = 0;
  double y = 0;
};

/// What every detector of ours can give. "Right" is the person's right: on the left of the picture.
struct Landmarks {
  Point right_eye;
  Point left_eye;
  Point nose;
  Point mouth;
};

/// A face that was found. The box is YuNet's in meaning, whatever detector found it: the box that training
/// crops are measured by (see box_mapping.hpp).
struct Face {
  Box box;
  double score = 0;  ///< of the detector, 0..1
  std::optional<Landmarks> landmarks;
};

/// Finds faces in a picture. Implementations are thread-safe.
class FaceDetector {
 public:
  virtual ~FaceDetector() = default;

  /// Faces in a CV_8UC3 picture (blue first), strongest first, without double ones. Empty when there is none.
  /// Throws nothing but std::bad_alloc; an engine that fails is logged once and finds no face.
  virtual std::vector<Face> Detect(const cv::Mat& bgr) = 0;

  /// "blazeface", "yunet" or "haar".
  virtual std::string name() const = 0;
};

}  // namespace unmask
