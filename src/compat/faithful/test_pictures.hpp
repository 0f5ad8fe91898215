// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: pictures that tests/compat/record/noise.py makes, too, and what hashes say of results.

#include <cstdint>
#include <string>

#include <opencv2/core.hpp>

#include "base/hash.hpp"

namespace unmask::compat {

/// Random pixels, with blocks of one colour so that filters see edges and planes.
inline cv::Mat Noise(cv::Size size) {
  cv::Mat picture(size, CV_8UC3);
  std::uint64_t state = 12345;
  for (int i = 0; i < size.area() * 3; ++i) {
    state = (state * 1103515245 + 12345) % (std::uint64_t{1} << 31);
    picture.data[i] = static_cast<std::uint8_t>(state >> 23);
  }
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      if ((x / 16 + y / 16) % 3 == 0) picture.at<cv::Vec3b>(y, x) = {250, 20, 130};
  return picture;
}

/// The first 16 digits of the pixels' SHA-256. Rows must follow each other.
inline std::string HashOf(const cv::Mat& picture) {
  Sha256 hash;
  hash.Update({reinterpret_cast<const char*>(picture.data), picture.total() * picture.elemSize()});
  return hash.Finish().substr(0, 16);
}

}  // namespace unmask::compat
