// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "unmask/model.hpp"

namespace unmask {

/// One labelled face with what was measured of it.
struct LogisticSample {
  bool manipulated = false;
  std::vector<double> features;  ///< as many for every sample
};

/// P(manipulated) = sigmoid(bias + sum of weight * feature).
struct LogisticFit {
  std::vector<double> weights;
  double bias = 0;
};

/// The fit of highest likelihood, with Platt's (1999) softened targets, which keep it finite where the
/// features separate the classes: (n+ + 1) / (n+ + 2) and 1 / (n- + 2). With `non_negative` no weight is
/// below 0 (a projected Newton method, Bertsekas 1982). The loss is convex: the fit depends on nothing but
/// the samples. Expects both classes.
LogisticFit FitLogistic(std::span<const LogisticSample> samples, bool non_negative);

/// Platt's calibration of one logit: the definition that training/unmask_training/calibrate.py has too.
Calibration FitPlatt(std::span<const LogisticSample> samples);

}  // namespace unmask
