// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "evaluation/ensemble/face_fit.hpp"

namespace unmask {

/// A track of some looks at one labelled face: the ensemble's logit of each, in order.
struct LabelledTrack {
  bool manipulated = false;
  std::vector<double> logits;
};

/// What thresholds do to tracks.
struct TrackRates {
  double fpr = 0;   ///< authentic tracks called manipulated
  double tpr = 0;   ///< manipulated tracks called manipulated
  double miss = 0;  ///< manipulated tracks below `clear`
};

/// Tracks of so many faces under an operating point of their own, and under that of a single face.
struct TrackComparison {
  OperatingPoint own;
  double miss_at_clear = 0;  ///< of the own one
  TrackRates with_own;
  TrackRates with_one_face;
};

/// Operating points for tracks of 2, 4, 8 and 16 faces, as many as the tracks have, each joined by
/// JudgeTrack() with the single face's `face` and fitted by FitPoint(). Fails as that does.
Result<std::vector<TrackComparison>> CompareTracks(std::span<const LabelledTrack> tracks,
                                                   const FaceFit& face);

/// Whether tracks need points of their own: a single face's give many alarms (above 1.5 %), or find at least
/// 5 points less. Below that the difference is what a few faces at a threshold make, and one set is simpler.
bool NeedOwnPoints(std::span<const TrackComparison> compared);

}  // namespace unmask
