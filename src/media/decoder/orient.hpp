// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace unmask::decoder {

/// How stored pixels must be turned to be upright: the numbers of EXIF's Orientation tag.
enum class Orientation : int {
  kUpright = 1,
  kMirrored = 2,
  kUpsideDown = 3,
  kFlipped = 4,
  kTransposed = 5,
  kTurnRight = 6,  ///< turn by 90 degrees clockwise
  kTransversed = 7,
  kTurnLeft = 8,
};

/// Width and height change places.
constexpr bool SwapsSides(Orientation orientation) { return static_cast<int>(orientation) >= 5; }

/// From EXIF's number; kUpright for one that does not exist.
Orientation FromExif(int number);

/// From a display matrix as libavutil stores it (nine fixed-point numbers, row by row), to the nearest right
/// angle. kUpright for null.
Orientation FromDisplayMatrix(const std::int32_t* matrix);

/// Pixels in 3 bytes each, rows `stride` bytes apart.
struct Pixels {
  std::uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
  std::size_t stride = 0;
};

/// Copies `from` into `to`, turned upright. `to` has the size of `from`, sides swapped where SwapsSides says
/// so.
void TurnUpright(const Pixels& from, Orientation orientation, const Pixels& to);

}  // namespace unmask::decoder
