// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "unmask/error.hpp"
#include "unmask/report.hpp"

namespace unmask::compat {

/// kUnsupportedMedia for HEIF and AVIF, which the native interface reads and no original did: their clients
/// are told what they always were of such a file. Every contract asks when it is known what the media is.
Result<void> CheckOriginalsRead(const MediaFacts& media);

}  // namespace unmask::compat
