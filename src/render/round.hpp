// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>

namespace unmask {

/// The decimals that every machine-readable rendering shares, so that the same report is the same text. What
/// is not finite becomes NaN, and -0.0 becomes 0.0.
inline double RoundTo(double value, double steps) {
  if (!std::isfinite(value)) return std::numeric_limits<double>::quiet_NaN();
  return std::round(value * steps) / steps + 0.0;
}

inline double RoundScore(double value) { return RoundTo(value, 1e6); }  ///< scores, logits, fractions
inline double RoundTime(double value) { return RoundTo(value, 1e3); }   ///< seconds, frames a second
inline double RoundAngle(double value) { return RoundTo(value, 10); }   ///< degrees

}  // namespace unmask
