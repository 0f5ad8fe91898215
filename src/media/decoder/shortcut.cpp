// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/shortcut.hpp"

namespace unmask::decoder {

Shortcut::Step Shortcut::Next(std::optional<std::int64_t> shown, bool key,
                              std::optional<std::int64_t> sample) {
  ++number_;
  if (broken_ || keys_.empty() || !sample) return Step::kDecode;
  while (target_ + 1 < keys_.size() && keys_[target_ + 1].shown <= *sample) ++target_;
  const KeyPacket& target = keys_[target_];
  if (number_ < target.number) {
    skipping_ = true;
    return Step::kSkip;
  }
  if (skipping_) {
    skipping_ = false;
    if (!key || number_ != target.number) {  // the file is not what it was when it was measured
      broken_ = true;
      return Step::kJump;
    }
    landed_ = expected_ = target.shown;
    return Step::kJump;
  }
  // Frames that follow the key packet but are shown before it need what was skipped.
  if (landed_ && shown && *shown < *landed_) return Step::kSkip;
  return Step::kDecode;
}

void Shortcut::CameOut(std::optional<std::int64_t> shown) {
  if (expected_ && shown != expected_) broken_ = true;
  expected_.reset();
}

}  // namespace unmask::decoder
