// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "unmask/options.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// What a media file is, as the decoder found it. Sizes are upright (rotation and EXIF orientation applied)
/// with square pixels.
struct MediaInfo {
  MediaKind kind = MediaKind::kImage;
  std::string container;
  std::string codec;
  int width = 0;
  int height = 0;
  std::optional<double> duration;
  std::optional<double> fps;
  std::optional<std::int64_t> frames;
  bool palette = false;  ///< a still whose pixels are stored as entries of a table, or as single bits
};

/// Which frames to take. See AnalysisOptions for the meaning of each field.
struct SamplePlan {
  SampleMode mode = SampleMode::kFps;
  double fps = 2.0;
  int max_frames = 256;
  /// With kPicked: asked once, by FrameStream::Open. An error ends it.
  std::function<Result<FramePick>(const MediaInfo&)> pick;
  bool turn = true;  ///< stills: apply EXIF's orientation; false gives the pixels as they are stored. HEIF
                     ///< and AVIF are always turned as their container says, and never by EXIF
};

/// Budgets of one file. All are finite; exceeding one is kLimitExceeded with the field's name, or kTooLarge
/// for bytes.
struct MediaLimits {
  std::uint64_t max_bytes = std::uint64_t{4} << 30;
  std::int64_t max_pixels = 64'000'000;  ///< of one frame or still, before anything is allocated for it
  int max_side = 16384;                  ///< longer side of a frame
  int max_streams = 64;                  ///< in one container
  double max_duration = 6 * 3600.0;      ///< seconds
  std::uint64_t decoder_memory = std::uint64_t{2} << 30;  ///< address space of the decoder, RLIMIT_AS
  double decoder_cpu = 1800;  ///< seconds of CPU that one file may cost, RLIMIT_CPU
  double decoder_wall = 600;  ///< seconds that the caller spends waiting for the decoder, all together
};

/// What happened while a file was decoded.
struct DecodeSummary {
  double used_fps = 0;  ///< of sampling; lower than asked for when max_frames spread over a long clip
  std::int64_t frames_decoded = 0;  ///< by the codec, also those that were not sampled
  std::int64_t frames_sampled = 0;  ///< given out
  std::int64_t decode_errors = 0;   ///< packets or frames that the codec refused; decoding went on
  bool truncated = false;           ///< the data ended before the container said so
  std::string decoder_version;      ///< of libavcodec, e.g. "59.37.100"
};

}  // namespace unmask
