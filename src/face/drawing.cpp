// SPDX-License-Identifier: Apache-2.0
#include "face/drawing.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include <opencv2/imgproc.hpp>

namespace unmask {
namespace {

constexpr int kWidth = 96;
constexpr int kBlock = 4;
constexpr std::size_t kCommonest = 16;
constexpr std::size_t kCommonestLevels = 24;  // as large a share of a photograph's pixels as 16 colours
// Below this spread of luma (8 bits) contrast is noise.
constexpr double kLeastContrast = 2;
// Keep logarithms finite; far below what a picture with any content has.
constexpr double kTiny = 1e-3;
constexpr double kTinySpread = 0.1;

// Fitted by training/scope.py on real faces and drawings, clean and degraded (docs/evaluation.md, "Scope
// guards").
constexpr std::array<double, 6> kWeights = {1.9628, -9.623, 16.2271, 9.2737, 3.853, -4.0185};
constexpr double kIntercept = -14.1453;

double Quantile(std::vector<float> values, double share) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return static_cast<double>(*at);
}

/// Mean over root mean square of magnitudes: near 0 when few of them are large.
double Spread(const cv::Mat& values) {
  const auto count = static_cast<double>(values.total());
  return (cv::norm(values, cv::NORM_L1) / count + kTiny) /
         (cv::norm(values, cv::NORM_L2) / std::sqrt(count) + kTiny);
}

/// The share of the `most` largest counts.
double ShareOfCommonest(std::vector<int>& counts, std::size_t most) {
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  const auto end = counts.begin() + static_cast<std::ptrdiff_t>(most);
  std::partial_sort(counts.begin(), end, counts.end(), std::greater<>());
  return std::accumulate(counts.begin(), end, 0.0) / all;
}

/// Of colours of 15 bits, or of levels of grey if those repeat less: a photograph in black and white has few
/// colours, but many levels.
double ShareOfCommonestColours(const cv::Mat& bgr, const cv::Mat& grey) {
  std::vector<int> colours(std::size_t{1} << 15);
  std::vector<int> levels(256);
  for (int y = 0; y < bgr.rows; ++y)
    for (int x = 0; x < bgr.cols; ++x) {
      const auto& pixel = bgr.at<cv::Vec3b>(y, x);
      ++colours[static_cast<std::size_t>(((pixel[0] >> 3) << 10) | ((pixel[1] >> 3) << 5) | (pixel[2] >> 3))];
      ++levels[grey.at<std::uint8_t>(y, x)];
    }
  return std::min(ShareOfCommonest(colours, kCommonest), ShareOfCommonest(levels, kCommonestLevels));
}

std::vector<float> SpreadOfBlocks(const cv::Mat& luma) {
  std::vector<float> spreads;
  for (int y = 0; y + kBlock <= luma.rows; y += kBlock)
    for (int x = 0; x + kBlock <= luma.cols; x += kBlock) {
      cv::Scalar mean, spread;
      cv::meanStdDev(luma(cv::Rect(x, y, kBlock, kBlock)), mean, spread);
      spreads.push_back(static_cast<float>(spread[0]));
    }
  return spreads;
}

}  // namespace

DrawingSigns MeasureDrawingSigns(const cv::Mat& face) {
  cv::Mat bgr = face;
  if (face.cols > kWidth) {
    const int height =
        std::max(1, static_cast<int>(std::lround(static_cast<double>(face.rows) * kWidth / face.cols)));
    cv::resize(face, bgr, cv::Size(kWidth, height), 0, 0, cv::INTER_AREA);
  }
  cv::Mat grey, luma, across, down, gradient, lines;
  cv::cvtColor(bgr, grey, cv::COLOR_BGR2GRAY);
  grey.convertTo(luma, CV_32F);
  cv::Scalar mean, spread;
  cv::meanStdDev(luma, mean, spread);
  const double contrast = std::max(spread[0], kLeastContrast);
  cv::Sobel(luma, across, CV_32F, 1, 0, 3, 1.0 / 8);
  cv::Sobel(luma, down, CV_32F, 0, 1, 3, 1.0 / 8);
  cv::magnitude(across, down, gradient);
  cv::Laplacian(luma, lines, CV_32F);
  const std::vector<float> blocks = SpreadOfBlocks(luma);
  const double low = Quantile(blocks, 0.1) + kTinySpread;
  const double high = Quantile(blocks, 0.9) + kTinySpread;
  return {.edge = std::log((Quantile(gradient.reshape(1, 1), 0.95) + kTiny) / contrast),
          .edge_mean = std::log(Spread(gradient)),
          .line_mean = std::log(Spread(lines)),
          .colours = ShareOfCommonestColours(bgr, grey),
          .floor = std::log(low),
          .floor_ratio = std::log(low / high)};
}

double DrawingLikeness(const cv::Mat& face) {
  if (face.cols < kBlock || face.rows < kBlock) return 0;
  const auto signs = MeasureDrawingSigns(face).values();
  const double logit = std::inner_product(signs.begin(), signs.end(), kWeights.begin(), kIntercept);
  return 1 / (1 + std::exp(-logit));
}

}  // namespace unmask
