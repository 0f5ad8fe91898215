// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "evaluation/metrics/bootstrap.hpp"
#include "evaluation/metrics/sample.hpp"

namespace unmask {

/// Counts of what a threshold does (score >= threshold is called manipulated).
struct ConfusionMatrix {
  std::size_t true_positives = 0;   ///< manipulated, called manipulated
  std::size_t false_negatives = 0;  ///< manipulated, missed
  std::size_t false_positives = 0;  ///< authentic, called manipulated
  std::size_t true_negatives = 0;   ///< authentic, not called

  friend bool operator==(const ConfusionMatrix&, const ConfusionMatrix&) = default;
};

ConfusionMatrix Confusion(LabelledScores samples, double threshold);

/// 95 % interval of a share, `hits` of `count` (Wilson 1927): also of use near 0 and 1, where the bootstrap
/// gives an interval of no width. Takes the files as independent. Expects hits <= count and count > 0.
Interval WilsonInterval(std::size_t hits, std::size_t count);

/// One point of a risk-coverage curve.
struct RiskCoveragePoint {
  double coverage = 0;    ///< share of the files that get an answer: those of the highest confidence
  double risk = 0;        ///< share of these whose answer is wrong
  double confidence = 0;  ///< least confidence of those that get an answer
};

/// What is gained by not answering (El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017). The answer of a
/// file is "manipulated" from a score of 0.5 on, its confidence max(score, 1 - score). Files of equal
/// confidence are answered or left out together. In order of coverage, ending at 1. Empty when a score is no
/// probability.
std::vector<RiskCoveragePoint> RiskCoverage(LabelledScores samples);

/// Area under the risk-coverage curve (AURC, Geifman, Uziel and El-Yaniv 2019): the mean risk over all
/// coverages, the risk of a point holding from the coverage before it on. Lower is better.
Figure AreaUnderRiskCoverage(LabelledScores samples);

/// One bar of a histogram, for each class.
struct HistogramBin {
  double low = 0;  ///< values from `low` on, below `high` (the last bin includes it)
  double high = 0;
  std::size_t authentic = 0;
  std::size_t manipulated = 0;
};

/// Scores of both classes in bins of equal width over low..high; scores beyond count in the outermost bins.
std::vector<HistogramBin> ScoreHistogram(LabelledScores samples, int bins, double low = 0, double high = 1);

}  // namespace unmask
