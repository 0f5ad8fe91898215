// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace unmask::decoder {

/// What a HEIF or AVIF file says of its pictures, read by us before libheif sees it (ISO/IEC 23008-12).
struct HeifOutline {
  struct Size {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
  };

  /// The type of the items that hold the primary picture's pixels: "hvc1" (HEVC), "av01" (AV1), or another,
  /// which may be no picture's. Of a grid, its first tile's. "iovl" when an overlay is among its parts.
  std::string coding;
  std::vector<Size> sizes;  ///< all that are declared, of whichever picture: 'ispe', grids, overlays
};

/// Nothing for a file that is broken, has no primary picture, or where what the primary picture is made of
/// goes in a circle or is more than four levels deep: libheif would follow it for ever. Total.
std::optional<HeifOutline> ReadHeifOutline(std::span<const unsigned char> file);

}  // namespace unmask::decoder
