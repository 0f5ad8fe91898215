// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "media/decoder/libav.hpp"
#include "media/decoder/orient.hpp"

namespace unmask::decoder {

struct Size {
  int width = 0;
  int height = 0;

  friend bool operator==(const Size&, const Size&) = default;
};

/// The size in square pixels: the side that the sample aspect ratio says is too short is enlarged, so that no
/// detail is lost. An aspect ratio beyond 1:16 or 16:1 is taken for a mistake and ignored.
Size SquarePixels(Size stored, AVRational sample_aspect);

/// Turns decoded frames into upright BGR with square pixels.
///
/// Colours follow the frame's own fields. Where they are silent, BT.601 and limited range are assumed,
/// whatever the size, as cv2.VideoCapture and the ffmpeg program do. The scaler is libswscale's bicubic one
/// without ACCURATE_RND: a frame that needs no scaling takes the fast path, which ffmpeg's default takes too.
class Converter {
 public:
  /// Frames are stored as `stored` (square pixels, not yet turned); another size in mid-stream is scaled to
  /// it.
  Converter(Size stored, Orientation orientation) : stored_(stored), orientation_(orientation) {}

  /// The size after turning.
  Size upright() const;

  /// Writes the frame into `out`, which has the upright size. False when libswscale cannot read its format.
  bool Convert(const AVFrame& frame, const Pixels& out);

 private:
  bool Prepare(const AVFrame& frame);

  Size stored_;
  Orientation orientation_;
  Scaler scaler_;
  Size source_;
  int format_ = -1;
  int colorspace_ = -1;
  int range_ = -1;
  std::vector<std::uint8_t> unturned_;
};

}  // namespace unmask::decoder
