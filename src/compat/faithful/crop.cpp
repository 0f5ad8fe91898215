// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/crop.hpp"

#include <array>
#include <cstdint>

namespace unmask::compat {

void WriteCrop(const cv::Mat& picture, Channels channels, double range, std::span<float> crop) {
  std::array<float, 256> table;
  for (std::size_t value = 0; value < table.size(); ++value)
    table[value] = static_cast<float>(static_cast<double>(value) / range);
  const std::size_t first = channels == Channels::kRgb ? 2 : 0;
  auto out = crop.begin();
  for (int y = 0; y < picture.rows; ++y) {
    const std::uint8_t* pixel = picture.ptr(y);
    for (int x = 0; x < picture.cols; ++x, pixel += 3) {
      *out++ = table[pixel[first]];
      *out++ = table[pixel[1]];
      *out++ = table[pixel[2 - first]];
    }
  }
}

}  // namespace unmask::compat
