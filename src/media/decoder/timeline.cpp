// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/timeline.hpp"

#include <algorithm>

namespace unmask::decoder {
namespace {

// More than any codec reorders. A stream that never shows its frames must not make the queue grow.
constexpr std::size_t kMaxAhead = 1024;

}  // namespace

void Timeline::AddPacket(std::optional<std::int64_t> time, bool decoded) {
  const std::int64_t rank = packets_++;
  if (!time) {
    ++shown_;
    return;
  }
  if (!started_) start_ = start_ ? std::min(*start_, *time) : *time;
  if (clock_ == Clock::kDecoding && !decoded) return;
  ahead_.push({*time, rank});
  if (ahead_.size() > kMaxAhead) {
    ahead_.pop();
    ++shown_;
  }
}

void Timeline::Flush() {
  if (clock_ == Clock::kDecoding) ahead_ = {};
}

std::optional<double> Timeline::Seconds(std::int64_t time) const {
  if (!started_ || !start_) return {};
  return static_cast<double>(time - *start_) * time_base_;
}

Timeline::Place Timeline::PlaceFrame(std::optional<std::int64_t> time) {
  if (!started_ && time && clock_ == Clock::kPresentation) start_ = start_ ? std::min(*start_, *time) : *time;
  started_ = true;
  Place place = clock_ == Clock::kPresentation ? ByPresentation(time) : ByDecoding();
  if (!(place.time > last_.time)) place.time = last_.time < 0 ? 0 : last_.time + frame_duration_;
  place.index = std::max(place.index, last_.index + 1);
  last_ = place;
  return place;
}

Timeline::Place Timeline::ByPresentation(std::optional<std::int64_t> time) {
  if (!time) return {-1, shown_};
  while (!ahead_.empty() && ahead_.top().time < *time) {
    ahead_.pop();
    ++shown_;
  }
  return {*Seconds(*time), shown_};
}

Timeline::Place Timeline::ByDecoding() {
  if (ahead_.empty()) return {-1, 0};
  const Pending next = ahead_.top();
  ahead_.pop();
  return {*Seconds(next.time), next.rank};
}

}  // namespace unmask::decoder
