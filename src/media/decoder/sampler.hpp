// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "unmask/options.hpp"

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

/// Chooses frames by index. Offer frames with rising indices; those that never come are left out.
class Picker {
 public:
  Picker(FramePick pick, std::int64_t max_frames) : pick_(std::move(pick)), left_(max_frames) {}

  /// Whether to take the frame.
  bool Take(std::int64_t index);

  /// Whether the frame is picked, be it the next one or not.
  bool Wants(std::int64_t index) const;

  /// The least index that may still be taken; nothing when there is none.
  std::optional<std::int64_t> next() const;

 private:
  FramePick pick_;
  std::int64_t left_;
  std::int64_t offered_ = -1;  // the last index
};

}  // namespace unmask::decoder
