// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "unmask/model.hpp"

namespace unmask {

/// The calibrated probability of manipulation, 0..1: sigmoid(slope * logit + intercept), Platt 1999.
inline double CalibratedScore(double logit, const Calibration& calibration) {
  return 1 / (1 + std::exp(-(calibration.slope * logit + calibration.intercept)));
}

}  // namespace unmask
