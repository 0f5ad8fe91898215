// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

namespace unmask::decoder {

/// Gives decoded frames their place: seconds from the stream's start, strictly rising, and their rank among
/// the stream's frames. Tell it of every packet before the frames that come out after it.
class Timeline {
 public:
  enum class Clock {
    kPresentation,  ///< packets say when they are shown
    kDecoding,  ///< packets say only when they are decoded (AVI): shown are the same times, in rising order
  };

  /// `time_base` in seconds; `frame_duration` in seconds is the step for frames without a usable time.
  Timeline(Clock clock, double time_base, double frame_duration)
      : clock_(clock), time_base_(time_base), frame_duration_(frame_duration) {}

  /// A packet that holds a frame to be shown has been read. `decoded` is whether the codec gets it.
  void AddPacket(std::optional<std::int64_t> time, bool decoded = true);

  struct Place {
    double time = 0;
    std::int64_t index = 0;
  };

  /// The codec has been emptied: what it still held will not be shown.
  void Flush();

  /// The stream's start, known once a frame has been placed.
  std::optional<std::int64_t> start() const { return started_ ? start_ : std::nullopt; }

  /// Seconds from the start, once it is known.
  std::optional<double> Seconds(std::int64_t time) const;

  /// A frame has been decoded. A time that is missing or does not rise is replaced by the last one plus the
  /// frame duration. With Clock::kDecoding the given time is not looked at.
  Place PlaceFrame(std::optional<std::int64_t> time);

 private:
  Place ByPresentation(std::optional<std::int64_t> time);
  Place ByDecoding();

  Clock clock_;
  double time_base_;
  double frame_duration_;
  std::optional<std::int64_t> start_;
  bool started_ = false;

  struct Pending {
    std::int64_t time = 0;
    std::int64_t rank = 0;  // among the packets
    friend bool operator>(const Pending& a, const Pending& b) { return a.time > b.time; }
  };
  // Packets that are shown after the last frame; as many as the codec reorders.
  std::priority_queue<Pending, std::vector<Pending>, std::greater<>> ahead_;
  std::int64_t packets_ = 0;
  std::int64_t shown_ = 0;
  Place last_{-1, -1};
};

}  // namespace unmask::decoder
