// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "media/decoder/media_file.hpp"
#include "media/decoder/orient.hpp"
#include "media/decoder/output.hpp"
#include "media/decoder/sniff.hpp"

namespace unmask::decoder {

/// Decodes a picture: JPEG by libjpeg-turbo, PNG by libpng, WebP by libwebp, GIF and BMP by libavcodec,
/// HEIF and AVIF by libheif; of an animation the first frame. 16 bits become 8, grey and CMYK become BGR.
/// Alpha is dropped: the colours that are stored under transparent pixels show, as cv2.imread(IMREAD_COLOR)
/// does it. Throws GiveUp.
void DecodeStill(const MediaFile& file, Kind kind, const wire::Job& job, Output& output);

/// How far one picture library got.
struct StillResult {
  bool any = false;         ///< at least the first rows are there
  bool truncated = false;   ///< the data ended early
  std::int64_t errors = 0;  ///< what the library complained about
};

/// Each decodes a whole file into `to`, whose size the file's header announced.
StillResult DecodeJpeg(std::span<const unsigned char> file, const Pixels& to);
StillResult DecodePng(std::span<const unsigned char> file, const Pixels& to);
StillResult DecodeWebp(std::span<const unsigned char> file, const Pixels& to);
StillResult DecodeWithLibav(const MediaFile& media, Kind kind, const Pixels& to);

/// DecodeStill for HEIF and AVIF, by libheif: the primary picture, also of an image sequence. It is turned,
/// mirrored and cropped as the container says, which belongs to the picture: EXIF's orientation is never
/// read, and Job::turn changes nothing. A file that is cut off gives nothing.
void DecodeHeif(const MediaFile& media, Kind kind, const wire::Job& job, Output& output);

}  // namespace unmask::decoder
