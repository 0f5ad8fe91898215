// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/types.hpp>

#include "face/face.hpp"
#include "unmask/picture.hpp"

namespace unmask {

inline Box ToBox(const cv::Rect& rect) {
  return {static_cast<double>(rect.x), static_cast<double>(rect.y), static_cast<double>(rect.width),
          static_cast<double>(rect.height)};
}

inline double Area(const Box& box) { return box.width * box.height; }

inline Point Centre(const Box& box) { return {box.x + box.width / 2, box.y + box.height / 2}; }

/// The area that two boxes share, square pixels.
double Intersection(const Box& a, const Box& b);

/// Intersection over union, 0..1; 0 for boxes without area.
double Iou(const Box& a, const Box& b);

/// How much of the smaller box lies within the other one, 0..1.
double Containment(const Box& a, const Box& b);

}  // namespace unmask
