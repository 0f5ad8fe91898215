// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "unmask/report.hpp"

namespace unmask {

/// One track of a video as inline SVG, as wide as its place: when the face was there, which stretches look
/// manipulated, where the most telling face is, and the score of every face against the thresholds.
std::string TimelineSvg(const Report& report, const TrackReport& track);

}  // namespace unmask
