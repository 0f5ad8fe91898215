// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "media/decoder/orient.hpp"
#include "media/decoder/sniff.hpp"

namespace unmask::decoder {

/// What a still's header says, read by us before any picture library sees the file.
struct ImageHeader {
  int width = 0;  ///< stored, before orientation
  int height = 0;
  Orientation orientation = Orientation::kUpright;
  bool palette = false;  ///< pixels are entries of a table or, in PNG, single bits; not told of BMP
};

/// Reads size and orientation of a still of the given kind. Total: nothing for a header that is broken,
/// absent or says that there are no pixels. Sizes go up to 2^31 - 1; the caller applies the limits.
std::optional<ImageHeader> ReadImageHeader(Kind kind, std::span<const unsigned char> file);

/// The Orientation tag of an EXIF block (a TIFF structure, with or without "Exif\0\0" before it); kUpright
/// when there is none or it is broken.
Orientation ReadExifOrientation(std::span<const unsigned char> exif);

}  // namespace unmask::decoder
