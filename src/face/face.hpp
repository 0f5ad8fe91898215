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

/// How hard to look for faces.
enum class Effort {
  kQuick,     ///< one pass over the whole picture: faces from about 8 % of its longer side
  kThorough,  ///< also parts of a large picture, for faces from about 3 %, and close-ups; several times the
              ///< cost
};

/// Finds faces in a picture. Pictures are CV_8UC3, blue first, of any size; grey ones, ones with alpha and
/// ones of 16 bits are converted, an empty one has no face. Implementations are thread-safe.
class FaceDetector {
 public:
  virtual ~FaceDetector() = default;

  /// Faces in a picture, strongest first, without double ones. Empty when there is none.
  /// Throws nothing but std::bad_alloc; an engine that fails is logged once and finds no face.
  virtual std::vector<Face> Detect(const cv::Mat& bgr, Effort effort = Effort::kThorough) = 0;

  /// The face that is near `expected`, a box from an earlier frame: looks only at a part of the picture a
  /// few times as large as the box, so a face too small for a quick look is found at the price of one. None
  /// when no face overlaps the box. The same promises as Detect().
  virtual std::optional<Face> DetectNear(const cv::Mat& bgr, const Box& expected) = 0;

  /// "blazeface", "yunet" or "haar".
  virtual std::string name() const = 0;
};

}  // namespace unmask
