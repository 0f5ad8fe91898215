// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "media/decoder/demux.hpp"

namespace unmask::decoder {

/// A packet where decoding can start.
struct KeyPacket {
  std::int64_t number = 0;  ///< how many packets of the stream come before it in the file
  std::int64_t shown = 0;   ///< its presentation time, in the stream's time base
};

/// How long a stream really is, told by its packets' times and not by the header's claim, which may be absent
/// or wrong and would then cut off a clip or its sampling.
struct Extent {
  double duration = 0;          ///< seconds
  std::int64_t frames = 0;      ///< packets
  std::vector<KeyPacket> keys;  ///< in order; as many as fit into a bounded memory
  /// Only when asked for, and only when every frame has one and they fit into a bounded memory: the frames'
  /// presentation times in rising order, in the stream's time base.
  std::vector<std::int64_t> times;
};

/// Reads every packet, without decoding: one or two hundredths of what decoding costs. Leaves the demuxer at
/// its end.
Extent MeasureExtent(Demuxer& demuxer, bool with_times);

}  // namespace unmask::decoder
