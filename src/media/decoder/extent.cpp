// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/extent.hpp"

#include <algorithm>

namespace unmask::decoder {
namespace {

// The last frame lasts as long as the others do on average.
Extent Make(std::int64_t first, std::int64_t last, std::int64_t count, AVRational time_base) {
  Extent extent;
  extent.frames = count;
  if (count == 0) return extent;
  const double span = static_cast<double>(last - first) * av_q2d(time_base);
  extent.duration = count > 1 ? span * static_cast<double>(count) / static_cast<double>(count - 1) : 0;
  return extent;
}

}  // namespace

std::optional<Extent> ExtentFromIndex(const Demuxer& demuxer) {
  AVStream& stream = demuxer.stream();
  const int entries = avformat_index_get_entries_count(&stream);
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t count = 0;
  for (int i = 0; i < entries; ++i) {
    const AVIndexEntry* entry = avformat_index_get_entry(&stream, i);
    if (entry->flags & AVINDEX_DISCARD_FRAME) continue;
    first = count == 0 ? entry->timestamp : std::min(first, entry->timestamp);
    last = count == 0 ? entry->timestamp : std::max(last, entry->timestamp);
    ++count;
  }
  if (count == 0) return {};
  return Make(first, last, count, stream.time_base);
}

Extent ExtentFromPackets(Demuxer& demuxer) {
  const Packet packet(av_packet_alloc());
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t count = 0;
  std::int64_t frames = 0;
  int failures = 0;
  for (;;) {
    const int error = demuxer.Read(*packet);
    if (error == AVERROR_EOF || (error < 0 && ++failures > 100)) break;
    if (error < 0) continue;
    const std::int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (!(packet->flags & AV_PKT_FLAG_DISCARD)) ++frames;
    if (!(packet->flags & AV_PKT_FLAG_DISCARD) && time != AV_NOPTS_VALUE) {
      first = count == 0 ? time : std::min(first, time);
      last = count == 0 ? time : std::max(last, time);
      ++count;
    }
    av_packet_unref(packet.get());
  }
  Extent extent = Make(first, last, count, demuxer.stream().time_base);
  extent.frames = frames;
  return extent;
}

}  // namespace unmask::decoder
