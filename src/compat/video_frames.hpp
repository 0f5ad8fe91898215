// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "unmask/report.hpp"

namespace unmask::compat {

/// How many frames a video has, as OpenCV counts them, by which the originals sample: the container's number,
/// else from duration and frames a second; 0 when neither is known. A still is one frame.
std::int64_t CountFrames(const MediaFacts& media);

}  // namespace unmask::compat
