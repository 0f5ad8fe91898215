// SPDX-License-Identifier: Apache-2.0
#include "face/pattern.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

namespace unmask {
namespace {

constexpr int kSide = 256;
constexpr int kLeastSide = 48;
constexpr double kShortest = 3;  // pixels a period
constexpr double kLongest = 14;
constexpr double kStandsOut = 8;  // times the median of what has about the same frequency
constexpr std::size_t kRings = 24;

}  // namespace

double PatternStrength(const cv::Mat& face) {
  const int side = std::min({face.cols, face.rows, kSide}) / 2 * 2;
  if (side < kLeastSide) return 0;
  cv::Mat luma, window, spectrum;
  cv::cvtColor(face(cv::Rect((face.cols - side) / 2, (face.rows - side) / 2, side, side)), luma,
               cv::COLOR_BGR2GRAY);
  luma.convertTo(luma, CV_32F);
  luma -= cv::mean(luma)[0];
  cv::createHanningWindow(window, luma.size(), CV_32F);
  const double weight = cv::sum(window)[0];
  cv::dft(luma.mul(window), spectrum, cv::DFT_COMPLEX_OUTPUT);

  // By rings of frequency: the amplitudes of each, and which is the largest.
  std::array<std::vector<float>, kRings> rings;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x <= side / 2; ++x) {
      const double fx = static_cast<double>(x) / side;
      const double fy = static_cast<double>(y <= side / 2 ? y : y - side) / side;
      const double frequency = std::hypot(fx, fy);
      if (frequency < 1 / kLongest || frequency > 1 / kShortest) continue;
      const auto& value = spectrum.at<cv::Vec2f>(y, x);
      const double share = (frequency - 1 / kLongest) / (1 / kShortest - 1 / kLongest);
      const auto ring = std::min(kRings - 1, static_cast<std::size_t>(share * kRings));
      rings.at(ring).push_back(static_cast<float>(2 * std::hypot(value[0], value[1]) / weight));
    }
  double strongest = 0;
  for (std::vector<float>& ring : rings) {
    if (ring.empty()) continue;
    const auto middle = ring.begin() + static_cast<std::ptrdiff_t>(ring.size() / 2);
    std::nth_element(ring.begin(), middle, ring.end());
    const double usual = *middle;
    const double peak = *std::max_element(ring.begin(), ring.end());
    if (peak > kStandsOut * usual) strongest = std::max(strongest, peak);
  }
  return strongest;
}

}  // namespace unmask
