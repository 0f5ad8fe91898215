// SPDX-License-Identifier: Apache-2.0
#include "face/tiles.hpp"

#include <algorithm>
#include <cmath>

namespace unmask {
namespace {

// Each layer looks at 0.4 of the length that the one before did, so it finds faces of 0.4 of the size; but no
// tile is smaller than the one in which the full-range network finds a face of QualityLimits::min_size: 48
// pixels, 6 % of the side (docs/faces.md).
constexpr double kLayerRatio = 0.4;
constexpr double kLeastSide = 768;
// A layer is not worth its cost when it only sees a little more than the one before.
constexpr double kLeastGain = 1.25;
// What the layer before missed is below 0.08 / 0.4 of a tile.
constexpr double kOverlap = 0.2;
constexpr int kMaxLayers = 2;
// In a strip longer than this times its width, even a face as high as the strip is small for the layers: it
// is cut into squares, if they are not too many.
constexpr double kStrip = 2.5;
constexpr std::size_t kMaxStripTiles = 40;

std::vector<int> Starts(int length, int side, double overlap) {
  if (length <= side) return {0};
  const int gaps = std::max(1, static_cast<int>(std::ceil((length - side) / (side * (1 - overlap)))));
  std::vector<int> starts;
  for (int i = 0; i <= gaps; ++i)
    starts.push_back(static_cast<int>(std::lround(static_cast<double>(length - side) * i / gaps)));
  return starts;
}

}  // namespace

std::vector<cv::Rect> MakeTiles(cv::Size picture, int side, double overlap) {
  std::vector<cv::Rect> tiles;
  for (const int y : Starts(picture.height, side, overlap))
    for (const int x : Starts(picture.width, side, overlap))
      tiles.emplace_back(x, y, std::min(side, picture.width), std::min(side, picture.height));
  return tiles;
}

std::vector<cv::Rect> PlanTiles(cv::Size picture) {
  std::vector<cv::Rect> plan;
  double length = std::max(picture.width, picture.height);
  for (int layer = 0; layer < kMaxLayers && length > kLeastGain * kLeastSide; ++layer) {
    length = std::max(kLayerRatio * length, kLeastSide);
    const auto tiles = MakeTiles(picture, static_cast<int>(std::lround(length)), kOverlap);
    plan.insert(plan.end(), tiles.begin(), tiles.end());
  }
  const int shorter = std::min(picture.width, picture.height);
  if (std::max(picture.width, picture.height) > kStrip * shorter && length > shorter) {
    const auto tiles = MakeTiles(picture, shorter, kOverlap);
    if (tiles.size() <= kMaxStripTiles) plan.insert(plan.end(), tiles.begin(), tiles.end());
  }
  return plan;
}

}  // namespace unmask
