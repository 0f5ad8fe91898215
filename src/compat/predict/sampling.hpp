// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "unmask/error.hpp"

namespace unmask::compat {

/// predict-api's choice of frames (contract, section 6), to the letter.

inline constexpr double kPredictLeastFps = 0.1;     ///< what lower, negative and tiny wishes become
inline constexpr double kPredictAssumedFps = 25.0;  ///< of media that state none

/// Frames a second as asked for: an absent wish, and 0, mean `fallback`.
double PredictTargetFps(std::optional<double> asked, double fallback);

/// The media's frames a second as the contract counts: kPredictAssumedFps when unknown.
double PredictSourceFps(std::optional<double> fps);

/// Every how many frames one is looked at, at least 1: the quotient rounded half to even. Infinity as target
/// means every frame; NaN is kBadRequest, in the words of the original.
Result<std::int64_t> PredictStep(double source_fps, double target_fps);

/// The frames that stand in when no frame showed a face: 16 to 31 of them, or all of fewer than 32; none for
/// a `total` of 0 or less.
std::vector<std::int64_t> PredictFallback(std::int64_t total);

}  // namespace unmask::compat
