// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "unmask/error.hpp"
#include "unmask/picture.hpp"

namespace unmask {

/// How much of a JPEG's colour is kept.
enum class Chroma {
  kHalved,  ///< 4:2:0: half the columns and rows, as most cameras do
  kFull     ///< 4:4:4: for pictures that are measured or encoded again
};

/// Whether a picture has pixels, and as many bytes as its size says.
bool HasPixels(const Picture& picture);

/// The bytes of a JPEG file; `quality` 1..100. kBadRequest for an empty picture or one whose bytes do not fit
/// its size. Carries no metadata.
Result<std::string> EncodeJpeg(const Picture& picture, int quality = 90, Chroma chroma = Chroma::kHalved);

/// The bytes of a PNG file. Fails as EncodeJpeg() does.
Result<std::string> EncodePng(const Picture& picture);

}  // namespace unmask
