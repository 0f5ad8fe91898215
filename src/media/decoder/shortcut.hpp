// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/decoder/extent.hpp"

namespace unmask::decoder {

/// Leaves out packets that no sample needs: when the next sample time lies behind a later key packet,
/// decoding jumps there. The sampled frames are the same, because a key frame and what is shown after it
/// depend on nothing before it.
///
/// Times are in the stream's time base.
class Shortcut {
 public:
  explicit Shortcut(std::vector<KeyPacket> keys) : keys_(std::move(keys)) {}

  enum class Step {
    kDecode,
    kSkip,
    kJump,  ///< empty the codec, then decode
  };

  /// What to do with the next packet, shown at `shown`, when the next sample is the first frame at or after
  /// `sample`; nothing when that is not known yet. Call for every packet.
  Step Next(std::optional<std::int64_t> shown, bool key, std::optional<std::int64_t> sample);

  /// A frame came out of the codec. When the first one after a jump is not the key frame, the stream's key
  /// packets do not keep their promise, and there are no more jumps.
  void CameOut(std::optional<std::int64_t> shown);

 private:
  std::vector<KeyPacket> keys_;
  std::int64_t number_ = -1;  // of the last packet
  std::size_t target_ = 0;    // the last key that is shown at or before the sample
  bool skipping_ = false;
  bool broken_ = false;
  std::optional<std::int64_t> landed_;    // where the last jump went
  std::optional<std::int64_t> expected_;  // the frame that must come out next
};

}  // namespace unmask::decoder
