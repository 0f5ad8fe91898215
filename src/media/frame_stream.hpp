// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>

#include <opencv2/core/mat.hpp>

#include "base/fd.hpp"
#include "media/media.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// One sampled frame. Its pixels lie in memory shared with the decoder and stay valid while this object
/// lives; the decoder waits when all places are taken, so let a frame go soon and copy what must last.
class Frame {
 public:
  std::int64_t index = 0;  ///< position in the stream, from 0, in order of presentation
  double time = 0;         ///< seconds from the stream's start
  bool key = false;        ///< a key frame
  cv::Mat bgr;             ///< upright, square pixels, CV_8UC3, rows padded; alpha is dropped

  // A decoder that an attacker has taken over could still change the pixels while they are looked at, but
  // never where they are or how many: let no memory access depend on reading a pixel twice.

  std::shared_ptr<void> lease;  ///< gives the place back when the last copy goes
};

/// Starts sandboxed decoders ahead of demand, so that no file waits for a process to start. One decoder
/// serves one file and ends. Thread-safe.
class DecoderPool {
 public:
  /// `program` is unmask-decoder; `spare` decoders are kept waiting (0 starts each on demand).
  static Result<std::unique_ptr<DecoderPool>> Create(std::filesystem::path program, MediaLimits limits,
                                                     int spare = 1);
  virtual ~DecoderPool() = default;
  virtual const MediaLimits& limits() const = 0;
};

/// The sampled frames of one file, in rising time, decoded in a process of its own. Not thread-safe.
class FrameStream {
 public:
  /// Hands the open file to a decoder and waits until it has told what the file is; with kPicked, asks for
  /// the pick then. Fails with kUnsupportedMedia, kUndecodable, kTooLarge, kLimitExceeded, kDecoderCrashed,
  /// kDecoderTimeout, kCancelled, kBadRequest for a plan or pick out of range, or the pick's own error. The
  /// pool must outlive it.
  static Result<std::unique_ptr<FrameStream>> Open(DecoderPool& pool, UniqueFd file, const SamplePlan& plan,
                                                   std::stop_token stop = {});

  /// Kills the decoder if it still runs; frames given out stay valid.
  virtual ~FrameStream() = default;

  virtual const MediaInfo& info() const = 0;

  /// The next frame, nothing at the end, or an error that ends the stream. A video whose data ends early or
  /// has broken parts is no error as long as it gave a frame: see summary().
  virtual Result<std::optional<Frame>> Next() = 0;

  /// Fraction of the media that has been decoded, 0..1; an estimate that never falls.
  virtual double progress() const = 0;

  /// Final once Next() has given nothing or an error.
  virtual const DecodeSummary& summary() const = 0;
};

}  // namespace unmask
