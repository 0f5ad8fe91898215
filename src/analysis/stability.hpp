// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "analysis/face_scores.hpp"
#include "analysis/judge.hpp"
#include "media/degrade/degrade.hpp"
#include "model/scorer.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// What happens to pictures on their way without changing what they show: JPEG 80, JPEG 60, 0.7 of the size,
/// a slight blur. Each is milder than what training degrades with.
std::span<const Degradation> MildVariants();

/// How one track's verdict fares under the variants.
struct TrackStability {
  int flips = 0;       ///< variants that give another verdict
  double spread = 0;   ///< between the highest and the lowest score, the unchanged one included
  bool stable = true;  ///< fewer than half of the variants flip it, and none into its opposite
};

/// `shifts`: by how much each variant moves the track's logit. The track has a score. Pure.
TrackStability JudgeStability(const TrackReport& track, int judged_tracks, std::span<const double> shifts,
                              const OperatingPoints& points);

/// Scores the most telling crops again under each variant. Every track that is called manipulated is checked,
/// and the most suspicious one when its verdict is clear; an unstable track becomes inconclusive, and the
/// media's verdict is concluded anew. Fills Report::stability. Costs one inference for each crop and variant.
/// Fails as the scorer does.
Result<void> CheckStability(Report& report, const FaceScores& scores, const Scorer& scorer,
                            const std::stop_token& stop = {});

}  // namespace unmask
