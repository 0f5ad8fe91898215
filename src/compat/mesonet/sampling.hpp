// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace unmask::compat {

/// The frames that mesonet-api looks at (contract, section 5), rising: all of up to 40; of more, 13 from each
/// third, which makes 39. The tail of each third is never looked at. None for a `total` of 0 or less.
std::vector<std::int64_t> MesonetFrames(std::int64_t total);

}  // namespace unmask::compat
