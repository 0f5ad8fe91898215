// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/extent.hpp"

#include <algorithm>

namespace unmask::decoder {
namespace {

constexpr int kMaxFailures = 100;

// Nine hours of video that consists of nothing else.
constexpr std::size_t kMaxKeys = std::size_t{1} << 20;

// 32 MB; nineteen hours of video at 60 frames a second.
constexpr std::size_t kMaxTimes = std::size_t{1} << 22;

}  // namespace

Extent MeasureExtent(Demuxer& demuxer, bool with_times) {
  const Packet packet(av_packet_alloc());
  Extent extent;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t timed = 0;
  std::int64_t number = 0;
  int failures = 0;
  for (;;) {
    const int error = demuxer.Read(*packet);
    if (error == AVERROR_EOF || (error < 0 && ++failures > kMaxFailures)) break;
    if (error < 0) continue;
    const std::int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    const bool shown = demuxer.IsShown(*packet);
    if (shown) ++extent.frames;
    if (shown && time != AV_NOPTS_VALUE) {
      first = timed == 0 ? time : std::min(first, time);
      last = timed == 0 ? time : std::max(last, time);
      ++timed;
      if ((packet->flags & AV_PKT_FLAG_KEY) && extent.keys.size() < kMaxKeys)
        extent.keys.push_back({number, time});
      if (with_times && extent.times.size() < kMaxTimes) extent.times.push_back(time);
    }
    ++number;
    av_packet_unref(packet.get());
  }
  // The last frame lasts as long as the others do on average.
  const double span = static_cast<double>(last - first) * av_q2d(demuxer.stream().time_base);
  if (timed > 1) extent.duration = span * static_cast<double>(timed) / static_cast<double>(timed - 1);
  if (static_cast<std::int64_t>(extent.times.size()) != extent.frames) extent.times = {};
  std::sort(extent.times.begin(), extent.times.end());
  return extent;
}

}  // namespace unmask::decoder
