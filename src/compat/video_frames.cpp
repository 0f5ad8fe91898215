// SPDX-License-Identifier: Apache-2.0
#include "compat/video_frames.hpp"

#include <algorithm>
#include <cmath>

#include "unmask/options.hpp"

namespace unmask::compat {

std::int64_t CountFrames(const MediaFacts& media) {
  if (media.kind == MediaKind::kImage) return 1;
  constexpr auto kMost = static_cast<double>(FramePick::kMaxIndex);
  if (media.frames) return std::clamp<std::int64_t>(*media.frames, 0, FramePick::kMaxIndex);
  const double estimate = std::floor(media.duration.value_or(0) * media.fps.value_or(0) + 0.5);
  return estimate > 0 ? static_cast<std::int64_t>(std::min(estimate, kMost)) : 0;  // also for NaN
}

}  // namespace unmask::compat
