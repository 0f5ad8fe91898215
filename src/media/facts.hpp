// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "media/media.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// Writes what the decoder says of a media file into a report's facts. Name, size and hash stay as they are.
void Describe(const MediaInfo& info, MediaFacts& media);

}  // namespace unmask
