// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/timeline.hpp"

#include <algorithm>

namespace unmask::decoder {
namespace {

// More than any codec reorders. A stream that never shows its frames must not make the queue grow.
constexpr std::size_t kMaxAhead = 1024;

}  // namespace

void Timeline::AddPacket(std::optional<std::int64_t> time) {
  if (!time) {
    ++shown_;
    return;
  }
  if (!started_) start_ = start_ ? std::min(*start_, *time) : *time;
  ahead_.push(*time);
  if (ahead_.size() > kMaxAhead) {
    ahead_.pop();
    ++shown_;
  }
}

Timeline::Place Timeline::PlaceFrame(std::optional<std::int64_t> time) {
  if (!started_ && time) start_ = start_ ? std::min(*start_, *time) : *time;
  started_ = true;
  Place place;
  const double seconds = time && start_ ? static_cast<double>(*time - *start_) * time_base_ : -1;
  const bool usable = time && seconds > last_.time && seconds >= 0;
  place.time = usable ? seconds : (last_.time < 0 ? 0 : last_.time + frame_duration_);
  while (time && !ahead_.empty() && ahead_.top() < *time) {
    ahead_.pop();
    ++shown_;
  }
  place.index = std::max(shown_, last_.index + 1);
  last_ = place;
  return place;
}

}  // namespace unmask::decoder
