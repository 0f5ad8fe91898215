// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "media/wire/message.hpp"

namespace unmask::decoder {

/// Throws GiveUp when a frame of this size is beyond the job's limits. Call before allocating for it.
void CheckFrameSize(std::int64_t width, std::int64_t height, const wire::Job& job);

/// Of libavcodec, e.g. "59.37.100".
std::string LibavVersion();

}  // namespace unmask::decoder
