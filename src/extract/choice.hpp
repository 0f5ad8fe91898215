// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "unmask/report.hpp"

namespace unmask {

/// Which faces of one track to keep when only `count` are wanted: the track is divided into `count` stretches
/// of as many faces each, and of each the best face is taken, that is one with the fewest quality codes, then
/// the sharpest, then the earliest. So the choice spreads over the whole track and avoids its blurred
/// moments. `track` is in order of time. Returns positions in it, rising; all of them when there are no more
/// than `count`. Not for a count of 0.
std::vector<std::size_t> ChooseSpread(std::span<const FaceQuality* const> track, std::size_t count);

}  // namespace unmask
