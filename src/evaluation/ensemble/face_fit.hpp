// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluation/outcome.hpp"
#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// A labelled face with each member's logit.
struct MemberLogits {
  bool manipulated = false;
  std::string cluster;  ///< faces of one origin: never divided between folds; empty: the face alone
  std::vector<double> logits;
};

/// How members' logits become a score and a verdict: all that is fitted.
struct FaceFit {
  Combination combination;
  Calibration calibration;
  Thresholds thresholds;
  double miss_at_clear = 0;  ///< share of the manipulated faces below `clear`
};

/// The operating points of the shipped models (training/unmask_training/report.py has the same).
inline constexpr double kFprAtManipulated = 0.01;  ///< `manipulated`: the lowest score with at most so many
inline constexpr double kMissAtClear = 0.04;       ///< `clear`: the highest with at most so many fakes below
inline constexpr int kFolds = 5;

/// Fits calibration and thresholds, and the combination unless `fixed` gives it: weights that are not
/// negative, of highest likelihood. kBadRequest without both classes, or when the fit says that a higher
/// logit is less suspicious.
Result<FaceFit> FitFaces(std::span<const MemberLogits> faces, const std::optional<Combination>& fixed);

/// What each face gets from a fit that saw neither it nor its cluster: score, logit, verdict, thresholds.
/// The clusters are dealt to kFolds folds in the order of the SHA-256 of their names. Fails as FitFaces().
Result<std::vector<SampleOutcome>> CrossFit(std::span<const MemberLogits> faces,
                                            const std::optional<Combination>& fixed);

/// Calibration and thresholds of labelled logits, by the same rules; of `tracks` a part of FitFaces().
struct LabelledLogit {
  bool manipulated = false;
  double logit = 0;
};
Result<FaceFit> FitPoint(std::span<const LabelledLogit> faces);

}  // namespace unmask
