// SPDX-License-Identifier: Apache-2.0
#include "analysis/joined_heat.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <opencv2/imgproc.hpp>

namespace unmask {
namespace {

bool Covers(const Box& region, double x, double y) {
  return x >= region.x && x < region.x + region.width && y >= region.y && y < region.y + region.height;
}

/// The value at a point of the picture within the map's region.
double ValueAt(const HeatMap& map, double x, double y) {
  const auto locate = [](double along, int cells) {
    const double at = std::clamp(along * cells - 0.5, 0.0, static_cast<double>(cells - 1));
    const int before = static_cast<int>(std::floor(at));
    return std::tuple(before, std::min(before + 1, cells - 1), at - before);
  };
  const auto [left, right, dx] = locate((x - map.region.x) / map.region.width, map.width);
  const auto [top, bottom, dy] = locate((y - map.region.y) / map.region.height, map.height);
  const auto cell = [&](int column, int row) {
    return static_cast<double>(map.values[static_cast<std::size_t>(row * map.width + column)]);
  };
  const double above = cell(left, top) * (1 - dx) + cell(right, top) * dx;
  const double below = cell(left, bottom) * (1 - dx) + cell(right, bottom) * dx;
  return above * (1 - dy) + below * dy;
}

}  // namespace

std::shared_ptr<const HeatMap> JoinHeatMaps(std::vector<WeightedHeat> maps) {
  std::erase_if(maps, [](const WeightedHeat& heat) { return heat.weight <= 0; });
  if (maps.empty()) return nullptr;
  auto joined = std::make_shared<HeatMap>(maps.front().map);
  if (maps.size() == 1) return joined;
  for (int row = 0; row < joined->height; ++row)
    for (int column = 0; column < joined->width; ++column) {
      const Box& region = joined->region;
      const double x = region.x + (column + 0.5) / joined->width * region.width;
      const double y = region.y + (row + 0.5) / joined->height * region.height;
      double sum = 0;
      double weights = 0;
      for (const WeightedHeat& heat : maps)
        if (Covers(heat.map.region, x, y)) {
          sum += heat.weight * ValueAt(heat.map, x, y);
          weights += heat.weight;
        }
      joined->values[static_cast<std::size_t>(row * joined->width + column)] =
          static_cast<float>(sum / weights);
    }
  return joined;
}

void TurnHeatMap(HeatMap& map, double roll) {
  if (roll == 0) return;
  const cv::Mat cells(map.height, map.width, CV_32F, map.values.data());
  const cv::Point2f middle(static_cast<float>(map.width - 1) / 2, static_cast<float>(map.height - 1) / 2);
  cv::Mat turned;
  cv::warpAffine(cells, turned, cv::getRotationMatrix2D(middle, -roll, 1), cells.size());
  turned.copyTo(cells);
}

}  // namespace unmask
