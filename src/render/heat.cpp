// SPDX-License-Identifier: Apache-2.0
#include "render/heat.hpp"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "render/picture_io.hpp"

namespace unmask {
namespace {

// Maps hedge: the place says more than the height, so the peak is shown at full strength unless it is weaker
// than this.
constexpr double kWeakestPeak = 0.25;
constexpr double kStrongest = 0.65;  // opacity where the map is 1: the face stays recognisable

bool HasCells(const HeatMap& heat) {
  return heat.width > 0 && heat.height > 0 && heat.region.width > 0 && heat.region.height > 0 &&
         heat.values.size() == static_cast<std::size_t>(heat.width) * static_cast<std::size_t>(heat.height);
}

/// The map's value for each pixel of the picture, 0 where it covers none.
cv::Mat OnPicture(const HeatMap& heat, const Box& shown, cv::Size size) {
  // OpenCV has no view of constant values; warpAffine only reads.
  const cv::Mat cells(heat.height, heat.width, CV_32F, const_cast<float*>(heat.values.data()));
  // From a pixel's centre to cells: picture to media, media to map.
  const double x_scale = shown.width / size.width * heat.width / heat.region.width;
  const double y_scale = shown.height / size.height * heat.height / heat.region.height;
  const double x_offset = (shown.x - heat.region.x) * heat.width / heat.region.width + 0.5 * x_scale - 0.5;
  const double y_offset = (shown.y - heat.region.y) * heat.height / heat.region.height + 0.5 * y_scale - 0.5;
  const cv::Matx23d to_cells(x_scale, 0, x_offset, 0, y_scale, y_offset);
  cv::Mat values;
  cv::warpAffine(cells, values, to_cells, size, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  const auto pixel = [](double at, double start, double length, int pixels) {
    return std::clamp(static_cast<int>(std::lround((at - start) / length * pixels)), 0, pixels);
  };
  const cv::Point from(pixel(heat.region.x, shown.x, shown.width, size.width),
                       pixel(heat.region.y, shown.y, shown.height, size.height));
  const cv::Point to(pixel(heat.region.x + heat.region.width, shown.x, shown.width, size.width),
                     pixel(heat.region.y + heat.region.height, shown.y, shown.height, size.height));
  cv::Mat covered = cv::Mat::zeros(size, CV_32F);
  const cv::Rect place(from, to);
  values(place).copyTo(covered(place));
  return covered;
}

}  // namespace

void TintWithHeat(Picture& picture, const Box& shown, const HeatMap& heat) {
  if (!HasPixels(picture) || !HasCells(heat) || !(shown.width > 0) || !(shown.height > 0)) return;
  cv::Mat view(picture.height, picture.width, CV_8UC3, picture.bgr.data());
  cv::Mat values = OnPicture(heat, shown, view.size());
  values *= 1 / std::max(PeakOf(heat).value, kWeakestPeak);
  cv::Mat levels;
  values.convertTo(levels, CV_8U, 255);
  cv::Mat colours;
  cv::applyColorMap(levels, colours, cv::COLORMAP_INFERNO);
  for (int y = 0; y < view.rows; ++y) {
    auto* pixel = view.ptr<cv::Vec3b>(y);
    const auto* colour = colours.ptr<cv::Vec3b>(y);
    const auto* value = values.ptr<float>(y);
    for (int x = 0; x < view.cols; ++x) {
      const double opacity = kStrongest * std::clamp(static_cast<double>(value[x]), 0.0, 1.0);
      for (int c = 0; c < 3; ++c)
        pixel[x][c] = cv::saturate_cast<std::uint8_t>((1 - opacity) * pixel[x][c] + opacity * colour[x][c]);
    }
  }
}

bool ShowsHeat(const TrackReport& track) {
  return track.best.heat != nullptr && track.verdict != Verdict::kNoManipulationFound;
}

HeatPeak PeakOf(const HeatMap& heat) {
  if (!HasCells(heat)) return {};
  const auto at = std::max_element(heat.values.begin(), heat.values.end()) - heat.values.begin();
  const auto column = static_cast<double>(at % heat.width);
  const auto row = static_cast<double>(at / heat.width);
  return {.x = heat.region.x + (column + 0.5) * heat.region.width / heat.width,
          .y = heat.region.y + (row + 0.5) * heat.region.height / heat.height,
          .value = static_cast<double>(heat.values[static_cast<std::size_t>(at)])};
}

}  // namespace unmask
