// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/limits.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "media/decoder/libav.hpp"
#include "media/decoder/output.hpp"

namespace unmask::decoder {

void CheckFrameSize(std::int64_t width, std::int64_t height, const wire::Job& job) {
  if (std::max(width, height) > job.max_side)
    throw GiveUp{wire::FailureReason::kSideTooLong, {}, std::max(width, height)};
  if (width * height > job.max_pixels) throw GiveUp{wire::FailureReason::kTooManyPixels, {}, width * height};
}

std::string LibavVersion() {
  const unsigned version = avcodec_version();
  return fmt::format("{}.{}.{}", AV_VERSION_MAJOR(version), AV_VERSION_MINOR(version),
                     AV_VERSION_MICRO(version));
}

}  // namespace unmask::decoder
