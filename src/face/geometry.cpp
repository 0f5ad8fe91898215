// SPDX-License-Identifier: Apache-2.0
#include "face/geometry.hpp"

#include <algorithm>

namespace unmask {

double Intersection(const Box& a, const Box& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

double Iou(const Box& a, const Box& b) {
  const double shared = Intersection(a, b);
  return shared > 0 ? shared / (Area(a) + Area(b) - shared) : 0;
}

double Containment(const Box& a, const Box& b) {
  const double shared = Intersection(a, b);
  return shared > 0 ? shared / std::min(Area(a), Area(b)) : 0;
}

}  // namespace unmask
