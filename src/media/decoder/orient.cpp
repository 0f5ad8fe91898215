// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/orient.hpp"

#include <algorithm>
#include <cstdlib>

namespace unmask::decoder {

Orientation FromExif(int number) {
  return number >= 1 && number <= 8 ? static_cast<Orientation>(number) : Orientation::kUpright;
}

Orientation FromDisplayMatrix(const std::int32_t* matrix) {
  if (!matrix) return Orientation::kUpright;
  // A stored point (x, y) is shown at (a x + c y, b x + d y).
  const std::int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  if (std::abs(a) + std::abs(d) >= std::abs(b) + std::abs(c)) {
    if (a < 0) return d < 0 ? Orientation::kUpsideDown : Orientation::kMirrored;
    return d < 0 ? Orientation::kFlipped : Orientation::kUpright;
  }
  if (c < 0) return b < 0 ? Orientation::kTransversed : Orientation::kTurnRight;
  return b < 0 ? Orientation::kTurnLeft : Orientation::kTransposed;
}

void TurnUpright(const Pixels& from, Orientation orientation, const Pixels& to) {
  const auto row = static_cast<std::ptrdiff_t>(from.stride);
  const bool right_to_left =
      orientation == Orientation::kMirrored || orientation == Orientation::kUpsideDown ||
      orientation == Orientation::kTransversed || orientation == Orientation::kTurnLeft;
  const bool bottom_up = orientation == Orientation::kUpsideDown || orientation == Orientation::kFlipped ||
                         orientation == Orientation::kTurnRight || orientation == Orientation::kTransversed;
  const std::ptrdiff_t along_x = right_to_left ? -3 : 3;
  const std::ptrdiff_t along_y = bottom_up ? -row : row;
  const std::uint8_t* origin =
      from.data + (right_to_left ? (from.width - 1) * 3 : 0) + (bottom_up ? (from.height - 1) * row : 0);
  const std::ptrdiff_t step_x = SwapsSides(orientation) ? along_y : along_x;
  const std::ptrdiff_t step_y = SwapsSides(orientation) ? along_x : along_y;

  // Tiles, because reading down a column touches a new cache line for every pixel.
  constexpr int kTile = 32;
  for (int top = 0; top < to.height; top += kTile) {
    for (int left = 0; left < to.width; left += kTile) {
      const int bottom = std::min(top + kTile, to.height);
      const int right = std::min(left + kTile, to.width);
      for (int y = top; y < bottom; ++y) {
        const std::uint8_t* source = origin + y * step_y + left * step_x;
        std::uint8_t* target =
            to.data + static_cast<std::size_t>(y) * to.stride + static_cast<std::size_t>(left) * 3;
        for (int x = left; x < right; ++x, source += step_x, target += 3) {
          target[0] = source[0];
          target[1] = source[1];
          target[2] = source[2];
        }
      }
    }
  }
}

}  // namespace unmask::decoder
