// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "unmask/model.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// From scored faces to verdicts. Pure functions: the same faces give the same verdict.
///
/// A track's logit is the mean over its usable faces; where a stretch of them stays above the threshold
/// (persistence), it is the mean over the higher half, so that a manipulation of part of a clip is not
/// diluted. The rule follows what is known of aggregation: logits rather than probabilities, several frames
/// rather than the highest one, because one bad frame must not accuse anybody. The media's verdict is that of
/// its most suspicious track; a manipulated one comes before one that is only in doubt.
struct JudgeOptions {
  int min_faces = 3;  ///< usable faces that a track needs for a verdict; fewer if fewer frames were analysed
  int persistent_faces = 3;  ///< consecutive usable faces above the threshold that make evidence persistent
  double top_share = 0.5;    ///< of a track's faces that count once evidence is persistent, 0..1
  int top_min = 10;          ///< but at least so many
  /// Median of FaceQuality::drawing over a track's good faces from which it is out of scope: not_a_photo.
  double max_drawing = 0.5;
  int max_faces_per_frame = 16;  ///< the most that are analysed; more give the warning many_faces
};

/// What the judge must know of the model: the operating point of a single face, and those of tracks.
struct OperatingPoints {
  OperatingPoint face;
  std::vector<OperatingPoint> tracks;  ///< by rising number of faces
  bool calibrated = true;  ///< false: nobody knows what scores are worth, and every verdict is inconclusive
  std::vector<OperatingPoints> members;  ///< of an ensemble: each member's own

  /// The one for so many good faces.
  const OperatingPoint& For(int good_faces) const;
};

OperatingPoints PointsOf(const ModelCard& card);

/// What a report states of the model that judged, but for its label, which is not the card's to say.
ModelFacts FactsOf(const ModelCard& card);

/// Judges one track from its faces (in order of time; `used`, `logit` and `quality` filled in).
/// `frames_analysed` is of the whole media; `judged_tracks` the number of tracks that get a verdict: the odds
/// that one of several innocent people is accused grow with their number, so the odds of each are divided by
/// it (Bonferroni). Fills all of TrackReport but `id` and the pictures; `best` names the most telling face.
/// `faces` is not empty.
TrackReport JudgeTrack(std::span<const FaceReport* const> faces, std::int64_t frames_analysed,
                       int judged_tracks, const OperatingPoints& points, const JudgeOptions& options = {});

/// True when the track has enough usable faces for a verdict, and they are photographed.
bool CanBeJudged(std::span<const FaceReport* const> faces, std::int64_t frames_analysed,
                 const JudgeOptions& options = {});

/// The verdict that a track's score gives, and its reason when it is inconclusive.
struct ScoreVerdict {
  Verdict verdict = Verdict::kInconclusive;
  std::optional<Reason> reason;
};
ScoreVerdict JudgeScore(double score, int judged_tracks, const Thresholds& thresholds);

/// The number of tracks that have a verdict of their own.
int JudgedTracks(std::span<const TrackReport> tracks);

/// Fills the media's verdict, score, logit, reasons and thresholds from its judged tracks.
void Conclude(Report& report);

/// Fills verdict, score, logit, reasons and tracks of a report from its faces and sampling.
void JudgeReport(Report& report, const OperatingPoints& points, const JudgeOptions& options = {});

}  // namespace unmask
