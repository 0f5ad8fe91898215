// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "evaluation/metrics/sample.hpp"

namespace unmask {

/// Metrics that depend on the order of the scores alone. All of them see only a Ranking: the scores from the
/// highest to the lowest, each with the weight of the files of both classes that have it. A weight is a
/// count; the bootstrap draws other counts over the same order, so that the files are sorted once.
///
/// A threshold t calls the files with score >= t manipulated. Files with equal scores cannot be told apart:
/// they are always called alike.
class Ranking {
 public:
  /// Scores must be finite.
  explicit Ranking(LabelledScores samples);

  /// The same files in the same order, each counted `weights[i]` times (in the order of the samples).
  Ranking Reweighted(std::span<const std::uint32_t> weights) const;

  /// One distinct score.
  struct Level {
    double score = 0;
    double manipulated = 0;  ///< files of each class with this score
    double authentic = 0;
  };

  const std::vector<Level>& levels() const { return levels_; }  ///< highest score first; may have empty ones
  double manipulated() const { return manipulated_; }           ///< all files of the class
  double authentic() const { return authentic_; }

 private:
  Ranking() = default;
  void CountTotals();

  std::vector<Level> levels_;
  std::vector<std::uint32_t> level_of_;  // of each sample
  std::vector<bool> labels_;
  double manipulated_ = 0;
  double authentic_ = 0;
};

/// Area under the ROC curve: the probability that a manipulated file scores higher than an authentic one,
/// ties counting half (Mann and Whitney 1947; Hanley and McNeil 1982).
///     AUC = sum over pairs [s+ > s-] + [s+ = s-] / 2, divided by the number of pairs
/// Needs both classes.
Figure Auc(const Ranking& ranking);

/// Average precision: the sum over thresholds of precision times the gain in recall, without interpolation
/// (Manning, Raghavan and Schuetze 2008, 8.4; as scikit-learn's average_precision_score). Needs a manipulated
/// file.
Figure AveragePrecision(const Ranking& ranking);

/// Equal error rate: where the share of authentic files called manipulated equals the share of manipulated
/// files missed; the ROC curve is taken as straight between thresholds (ISO/IEC 19795-1). Needs both classes.
Figure EqualErrorRate(const Ranking& ranking);

/// Share of the manipulated files that is found when at most `fpr` (0..1) of the authentic ones are called
/// manipulated: at the lowest threshold that calls floor(fpr * authentic) of them or fewer. No interpolation.
/// Needs both classes. With fewer than 1 / fpr authentic files it is the share above all of them.
Figure TprAtFpr(const Ranking& ranking, double fpr);

/// The threshold of TprAtFpr: halfway between the highest authentic score that must stay below it and the
/// next higher score, so that rounding moves no file across; minus infinity when nothing must stay below.
Figure ThresholdAtFpr(const Ranking& ranking, double fpr);

/// One point of the ROC curve: what the threshold gives.
struct RocPoint {
  double fpr = 0;        ///< share of the authentic files with score >= threshold
  double tpr = 0;        ///< share of the manipulated files with score >= threshold
  double threshold = 0;  ///< infinity for the first point, (0, 0)
};

/// The ROC curve from (0, 0) to (1, 1), one point a distinct score, without points within a straight line. A
/// DET curve shows the same points as (fpr, 1 - tpr) on normal-deviate axes (Martin et al. 1997). Empty when
/// a class is missing.
std::vector<RocPoint> RocCurve(const Ranking& ranking);

/// The quantile function of the standard normal distribution, for DET axes; |error| < 1e-8 (Acklam's rational
/// approximation with one Halley step). Expects 0 < p < 1.
double NormalDeviate(double p);

}  // namespace unmask
