// SPDX-License-Identifier: Apache-2.0
#include "face/crop.hpp"

#include <algorithm>
#include <cmath>

#include <opencv2/core.hpp>

namespace unmask {
namespace {

// Boxes are a detector's, but a false one may be anywhere; no crop is larger or further off than this.
constexpr double kMaxCoordinate = 1e6;

double SideOf(const Box& face, CropRule::SideOf rule) {
  switch (rule) {
    case CropRule::SideOf::kWidth:
      return face.width;
    case CropRule::SideOf::kHeight:
      return face.height;
    case CropRule::SideOf::kLonger:
      return std::max(face.width, face.height);
    case CropRule::SideOf::kGeometricMean:
      return std::sqrt(face.width * face.height);
  }
  return face.width;
}

double Bounded(double value) {
  return std::isfinite(value) ? std::clamp(value, -kMaxCoordinate, kMaxCoordinate) : 0;
}

// The part of [start, start + length) within [0, limit), at least one long, and what is missing on both
// sides.
struct Span {
  int start;
  int length;
  int before;
  int after;
};

Span Clip(int start, int length, int limit) {
  const int first = std::clamp(start, 0, limit - 1);
  const int last = std::clamp(start + length - 1, 0, limit - 1);
  const int inside = last - first + 1;
  const int before = std::clamp(-start, 0, length - inside);
  return {first, inside, before, length - inside - before};
}

}  // namespace

cv::Rect CropRect(const Box& face, const CropRule& rule) {
  // Rounds as training does (halves upwards), so that both cut the same pixels.
  const double side = std::max(1.0, std::floor(Bounded(rule.scale * SideOf(face, rule.side_of)) + 0.5));
  const double x = Bounded(face.x + face.width / 2 + rule.dx * face.width);
  const double y = Bounded(face.y + face.height / 2 + rule.dy * face.height);
  return {static_cast<int>(std::floor(x - side / 2 + 0.5)), static_cast<int>(std::floor(y - side / 2 + 0.5)),
          static_cast<int>(side), static_cast<int>(side)};
}

cv::Mat CropPixels(const cv::Mat& picture, const cv::Rect& rect) {
  if (picture.empty() || rect.empty()) return {};
  // Outside on one side, the nearest row or column stands for all that is missing.
  const Span x = Clip(rect.x, rect.width, picture.cols);
  const Span y = Clip(rect.y, rect.height, picture.rows);
  const cv::Mat inside = picture(cv::Rect(x.start, y.start, x.length, y.length));
  if (x.length == rect.width && y.length == rect.height) return inside;
  cv::Mat result;
  cv::copyMakeBorder(inside, result, y.before, y.after, x.before, x.after,
                     cv::BORDER_REPLICATE | cv::BORDER_ISOLATED);
  return result;
}

}  // namespace unmask
