// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace unmask {

/// Pixels that outlive their frame: blue, green, red, 8 bits each, rows from the top, no padding.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> bgr;  ///< width * height * 3 bytes
};

/// A rectangle in pixels of the upright picture. May reach beyond its edges.
struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  friend bool operator==(const Box&, const Box&) = default;
};

}  // namespace unmask
