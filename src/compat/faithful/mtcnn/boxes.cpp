// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/mtcnn/boxes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace unmask::compat::mtcnn {
namespace {

constexpr int kStride = 2;  // of the P-network, pixels of its input

double Area(const Box& box) { return (box.x2 - box.x1 + 1) * (box.y2 - box.y1 + 1); }

double OverlapOf(const Box& a, const Box& b, Overlap overlap) {
  const double width = std::max(0.0, std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + 1);
  const double height = std::max(0.0, std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + 1);
  const double both = width * height;
  return overlap == Overlap::kUnion ? both / (Area(a) + Area(b) - both) : both / std::min(Area(a), Area(b));
}

}  // namespace

std::vector<double> PyramidScales(cv::Size picture) {
  const double first = kWindow / kMinFace;
  std::vector<double> scales;
  double side = std::min(picture.width, picture.height) * first;
  for (int i = 0; side >= kWindow; ++i, side *= kFactor) scales.push_back(first * std::pow(kFactor, i));
  return scales;
}

std::vector<Box> WindowsOf(cv::Size grid, std::span<const float> shifts, std::span<const float> scores,
                           double scale) {
  std::vector<Box> boxes;
  const auto cell = [&](int x, int y) {
    return static_cast<std::size_t>(x) * static_cast<std::size_t>(grid.height) + static_cast<std::size_t>(y);
  };
  std::vector<cv::Point> found;
  for (int x = 0; x < grid.width; ++x)
    for (int y = 0; y < grid.height; ++y)
      if (scores[2 * cell(x, y) + 1] >= kThresholds[0]) found.emplace_back(x, y);
  for (const cv::Point& at : found) {
    Box box{.x1 = std::trunc((kStride * at.x + 1) / scale),
            .y1 = std::trunc((kStride * at.y + 1) / scale),
            .x2 = std::trunc((kStride * at.x + kWindow) / scale),
            .y2 = std::trunc((kStride * at.y + kWindow) / scale),
            .score = static_cast<double>(scores[2 * cell(at.x, at.y) + 1])};
    // A window that is alone gets the shift of its mirror image: a slip of the package, which is kept.
    const std::size_t from = 4 * cell(found.size() == 1 ? grid.width - 1 - at.x : at.x, at.y);
    std::copy_n(shifts.begin() + static_cast<std::ptrdiff_t>(from), 4, box.shift.begin());
    boxes.push_back(box);
  }
  return boxes;
}

std::vector<Box> Suppress(std::vector<Box> boxes, double threshold, Overlap overlap) {
  std::reverse(boxes.begin(), boxes.end());
  std::stable_sort(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.score > b.score; });
  if (boxes.size() > kMaxBoxes) boxes.resize(kMaxBoxes);
  std::vector<Box> kept;
  while (!boxes.empty()) {
    const Box best = boxes.front();
    kept.push_back(best);
    // Not "above": what is no number goes, too.
    const auto end = std::remove_if(boxes.begin() + 1, boxes.end(), [&](const Box& box) {
      return !(OverlapOf(best, box, overlap) <= threshold);
    });
    boxes.erase(end, boxes.end());
    boxes.erase(boxes.begin());
  }
  return kept;
}

void ApplyShift(Box& box, bool inclusive) {
  const double width = box.x2 - box.x1 + (inclusive ? 1 : 0);
  const double height = box.y2 - box.y1 + (inclusive ? 1 : 0);
  box.x1 += static_cast<double>(box.shift[0]) * width;
  box.y1 += static_cast<double>(box.shift[1]) * height;
  box.x2 += static_cast<double>(box.shift[2]) * width;
  box.y2 += static_cast<double>(box.shift[3]) * height;
}

void MakeSquare(Box& box) {
  const double width = box.x2 - box.x1, height = box.y2 - box.y1;
  const double side = std::max(width, height);
  box.x1 = box.x1 + width * 0.5 - side * 0.5;
  box.y1 = box.y1 + height * 0.5 - side * 0.5;
  box.x2 = box.x1 + side;
  box.y2 = box.y1 + side;
}

void Truncate(Box& box) {
  for (double* corner : {&box.x1, &box.y1, &box.x2, &box.y2}) *corner = std::trunc(*corner);
}

std::optional<Cut> CutOf(const Box& box, cv::Size picture) {
  constexpr double kFar = 1e6;  // wilder corners have no pixel of any picture, and no window of any use
  for (const double corner : {box.x1, box.y1, box.x2, box.y2})
    if (!(std::abs(corner) < kFar)) return std::nullopt;
  // Corners count from 1 here: the package's own meaning of them in this step.
  const int x1 = static_cast<int>(box.x1), y1 = static_cast<int>(box.y1);
  const cv::Size size(static_cast<int>(box.x2 - box.x1 + 1), static_cast<int>(box.y2 - box.y1 + 1));
  const int left = std::max(x1, 1), top = std::max(y1, 1);
  const int right = std::min(static_cast<int>(box.x2), picture.width);
  const int bottom = std::min(static_cast<int>(box.y2), picture.height);
  const cv::Rect source(left - 1, top - 1, right - left + 1, bottom - top + 1);
  if (size.width <= 0 || size.height <= 0 || source.width <= 0 || source.height <= 0) return std::nullopt;
  return Cut{.size = size, .source = source, .target = {left - x1, top - y1}};
}

}  // namespace unmask::compat::mtcnn
