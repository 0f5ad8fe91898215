// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace unmask::decoder {

/// The samples a second that keep a clip of `duration` seconds within `max_frames`: `fps` itself, or less, so
/// that the samples spread over the whole clip. Without a duration, `fps`.
double SpreadFps(double fps, std::int64_t max_frames, std::optional<double> duration);

/// Chooses frames by time: the sample times are k / fps for k = 0, 1, ..., and the sample for each is the
/// first frame offered at or after it. A frame that is the first after several sample times is taken once.
/// Offer frames in rising time.
class Sampler {
 public:
  Sampler(double fps, std::int64_t max_frames) : fps_(fps), max_frames_(max_frames) {}

  /// Whether to take the frame at `time` seconds.
  bool Take(double time);

  /// max_frames have been taken.
  bool Full() const { return taken_ >= max_frames_; }

  /// The next sample time.
  double next() const { return next_; }

 private:
  double fps_;
  std::int64_t max_frames_;
  std::int64_t taken_ = 0;
  double next_ = 0;
};

}  // namespace unmask::decoder
