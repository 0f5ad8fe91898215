// SPDX-License-Identifier: Apache-2.0
#include "face/detector_support.hpp"

#include <algorithm>
#include <cmath>

#include "face/geometry.hpp"

namespace unmask {
namespace {

// BlazeFace's full-range network is surest, and draws its box best, when the face takes a quarter of what it
// sees (docs/faces.md).
constexpr double kNearFactor = 4;
constexpr double kNearIou = 0.1;

constexpr double kMaxRelativeSize = 2;

}  // namespace

std::vector<Face> Plausible(std::vector<Face> faces, cv::Size picture) {
  const double longest = kMaxRelativeSize * std::max(picture.width, picture.height);
  std::erase_if(faces, [&](const Face& face) {
    const Point centre = Centre(face.box);
    const bool inside =
        centre.x >= 0 && centre.y >= 0 && centre.x <= picture.width && centre.y <= picture.height;
    return !(inside && face.box.width > 0 && face.box.height > 0 && face.box.width <= longest &&
             face.box.height <= longest);
  });
  return faces;
}

cv::Rect Neighbourhood(const Box& expected, cv::Size picture) {
  const double longer = std::max(expected.width, expected.height);
  const Point centre = Centre(expected);
  if (!(longer >= 1 && longer < 1e6) || !(std::abs(centre.x) < 1e6) || !(std::abs(centre.y) < 1e6)) return {};
  const int side = static_cast<int>(std::lround(longer * kNearFactor));
  const cv::Rect square(static_cast<int>(std::floor(centre.x)) - side / 2,
                        static_cast<int>(std::floor(centre.y)) - side / 2, side, side);
  return (square & cv::Rect({0, 0}, picture)).empty() ? cv::Rect() : square;
}

std::optional<Face> BestOverlap(std::span<const Face> faces, const Box& expected) {
  std::optional<Face> best;
  double best_iou = kNearIou;
  for (const Face& face : faces) {
    const double iou = Iou(face.box, expected);
    if (iou < best_iou) continue;
    best = face;
    best_iou = iou;
  }
  return best;
}

void SortByScore(std::vector<Face>& faces) {
  std::stable_sort(faces.begin(), faces.end(),
                   [](const Face& a, const Face& b) { return a.score > b.score; });
}

std::vector<Face> Strongest(std::vector<Face> faces, int count) {
  if (faces.size() > static_cast<std::size_t>(std::max(count, 0)))
    faces.resize(static_cast<std::size_t>(std::max(count, 0)));
  return faces;
}

}  // namespace unmask
