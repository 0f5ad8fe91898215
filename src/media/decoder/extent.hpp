// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "media/decoder/demux.hpp"

namespace unmask::decoder {

/// How long a stream really is, told by its packets' times and not by the header's claim, which may be absent
/// or wrong and would then cut off a clip or its sampling.
struct Extent {
  double duration = 0;      ///< seconds
  std::int64_t frames = 0;  ///< packets
};

/// From the index that the container holds of all its packets; nothing when it has none.
std::optional<Extent> ExtentFromIndex(const Demuxer& demuxer);

/// From reading every packet, without decoding. Leaves the demuxer at its end.
Extent ExtentFromPackets(Demuxer& demuxer);

}  // namespace unmask::decoder
