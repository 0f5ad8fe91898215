// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/pillow_resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace unmask::compat {
namespace {

constexpr int kFractionBits = 32 - 8 - 2;  // 8 bits of a pixel and 2 of headroom in 32
constexpr double kSupport = 2;             // of the cubic, in pixels of the smaller picture
constexpr double kSharpness = -0.5;        // its a

double Cubic(double x) {
  constexpr double a = kSharpness;
  x = std::fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/// What of a line of pixels goes into one pixel of the result.
struct Window {
  int first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<Window> Windows(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double stretch = std::max(scale, 1.0);
  const double support = kSupport * stretch;
  std::vector<Window> windows(static_cast<std::size_t>(to));
  for (int out = 0; out < to; ++out) {
    const double centre = (out + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(from, static_cast<int>(centre + support + 0.5));
    std::vector<double> exact;
    double sum = 0;
    for (int i = first; i < end; ++i) {
      exact.push_back(Cubic((i - centre + 0.5) * (1 / stretch)));
      sum += exact.back();
    }
    Window& window = windows[static_cast<std::size_t>(out)];
    window.first = first;
    for (const double weight : exact) {
      const double fixed = (sum != 0 ? weight / sum : weight) * (1 << kFractionBits);
      window.weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return windows;
}

/// One pixel of the result: `step` bytes lie between the pixels of the line.
void Weigh(const Window& window, const std::uint8_t* line, std::size_t step, std::uint8_t* pixel) {
  const std::uint8_t* in = line + static_cast<std::size_t>(window.first) * step;
  std::int32_t sums[3] = {1 << (kFractionBits - 1), 1 << (kFractionBits - 1), 1 << (kFractionBits - 1)};
  for (const std::int32_t weight : window.weights) {
    for (int c = 0; c < 3; ++c) sums[c] += in[c] * weight;
    in += step;
  }
  for (int c = 0; c < 3; ++c)
    pixel[c] = static_cast<std::uint8_t>(std::clamp(sums[c] >> kFractionBits, 0, 255));
}

/// The source pixel of each pixel of the result. The position is added up, as in Pillow, whose rounding
/// errors are part of the result.
std::vector<int> Nearest(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  std::vector<int> source(static_cast<std::size_t>(to));
  double position = scale * 0.5;
  for (int& index : source) {
    index = std::min(static_cast<int>(position), from - 1);
    position += scale;
  }
  return source;
}

}  // namespace

cv::Mat PillowBicubic(const cv::Mat& picture, cv::Size size) {
  cv::Mat wide = picture;
  if (size.width != picture.cols) {
    const auto windows = Windows(picture.cols, size.width);
    wide = cv::Mat(picture.rows, size.width, CV_8UC3);
    for (int y = 0; y < wide.rows; ++y)
      for (int x = 0; x < wide.cols; ++x)
        Weigh(windows[static_cast<std::size_t>(x)], picture.ptr(y), 3, wide.ptr(y) + 3 * x);
  }
  if (size.height == picture.rows) return wide.clone();
  const auto windows = Windows(picture.rows, size.height);
  cv::Mat resized(size, CV_8UC3);
  for (int y = 0; y < resized.rows; ++y)
    for (int x = 0; x < resized.cols; ++x)
      Weigh(windows[static_cast<std::size_t>(y)], wide.ptr(0) + 3 * x, wide.step[0], resized.ptr(y) + 3 * x);
  return resized;
}

cv::Mat PillowNearest(const cv::Mat& picture, cv::Size size) {
  const auto columns = Nearest(picture.cols, size.width);
  const auto rows = Nearest(picture.rows, size.height);
  cv::Mat resized(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      resized.at<cv::Vec3b>(y, x) =
          picture.at<cv::Vec3b>(rows[static_cast<std::size_t>(y)], columns[static_cast<std::size_t>(x)]);
  return resized;
}

}  // namespace unmask::compat
