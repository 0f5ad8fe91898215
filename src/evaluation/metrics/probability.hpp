// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "evaluation/metrics/sample.hpp"

namespace unmask {

/// Metrics of scores that claim to be probabilities of manipulation, 0..1. Each gives a reason instead when
/// there is no file or a score lies outside 0..1. `weights` counts each sample so many times; empty: once.

using Weights = std::span<const std::uint32_t>;

/// Mean negative log likelihood, natural logarithm: mean of -log(p of the true class), with p kept within
/// 1e-12 of 0 and 1 (Good 1952; as scikit-learn's log_loss).
Figure LogLoss(LabelledScores samples, Weights weights = {});

/// Mean squared difference between probability and truth (Brier 1950).
Figure BrierScore(LabelledScores samples, Weights weights = {});

/// One bin of a reliability diagram.
struct ReliabilityBin {
  double low = 0;  ///< scores from `low` on, below `high` (the last bin includes 1)
  double high = 0;
  double count = 0;
  double mean_score = 0;         ///< 0 when the bin is empty
  double share_manipulated = 0;  ///< 0 when the bin is empty
};

/// Scores against what came true, in `bins` bins of equal width (DeGroot and Fienberg 1983). Empty when a
/// score is no probability.
std::vector<ReliabilityBin> ReliabilityDiagram(LabelledScores samples, int bins = 10, Weights weights = {});

/// Expected calibration error: the mean over the files of |mean score - share of manipulated| of their bin
/// (Naeini, Cooper and Hauskrecht 2015).
Figure ExpectedCalibrationError(LabelledScores samples, int bins = 10, Weights weights = {});

}  // namespace unmask
