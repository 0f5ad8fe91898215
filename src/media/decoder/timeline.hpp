// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

namespace unmask::decoder {

/// Gives decoded frames their place: seconds from the stream's start, strictly rising, and their rank among
/// the stream's frames. Tell it of every packet that will be shown before the frames that come out after it.
class Timeline {
 public:
  /// `time_base` in seconds; `frame_duration` in seconds is the step for frames without a usable time.
  Timeline(double time_base, double frame_duration)
      : time_base_(time_base), frame_duration_(frame_duration) {}

  /// A packet has been read; its presentation time, or decoding time when it has none.
  void AddPacket(std::optional<std::int64_t> time);

  struct Place {
    double time = 0;
    std::int64_t index = 0;
  };

  /// A frame has been decoded. A time that is missing or does not rise is replaced by the last one plus the
  /// frame duration.
  Place PlaceFrame(std::optional<std::int64_t> time);

 private:
  double time_base_;
  double frame_duration_;
  std::optional<std::int64_t> start_;
  bool started_ = false;
  // Times of packets that are shown after the last frame; as many as the codec reorders.
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> ahead_;
  std::int64_t shown_ = 0;
  Place last_{-1, -1};
};

}  // namespace unmask::decoder
