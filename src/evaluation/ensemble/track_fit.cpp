// SPDX-License-Identifier: Apache-2.0
#include "evaluation/ensemble/track_fit.hpp"

#include <algorithm>

#include "analysis/judge.hpp"
#include "model/calibration.hpp"

namespace unmask {
namespace {

constexpr std::size_t kCounts[] = {2, 4, 8, 16};
constexpr double kMaxFpr = 0.015;
constexpr double kMinGain = 0.05;

double TrackLogit(std::span<const double> logits, const OperatingPoints& points) {
  std::vector<FaceReport> faces;
  for (const double logit : logits)
    faces.push_back({.track = 1,
                     .time = 0.5 * static_cast<double>(faces.size()),
                     .score = CalibratedScore(logit, points.face.calibration),
                     .logit = logit,
                     .used = true});
  std::vector<const FaceReport*> pointers;
  for (const FaceReport& face : faces) pointers.push_back(&face);
  return *JudgeTrack(pointers, static_cast<std::int64_t>(faces.size()), 1, points).logit;
}

TrackRates RatesOf(std::span<const LabelledLogit> tracks, const OperatingPoint& point) {
  TrackRates rates;
  double manipulated = 0;
  for (const LabelledLogit& track : tracks) {
    const double score = CalibratedScore(track.logit, point.calibration);
    manipulated += track.manipulated ? 1 : 0;
    (track.manipulated ? rates.tpr : rates.fpr) += score >= point.thresholds.manipulated ? 1 : 0;
    rates.miss += track.manipulated && score < point.thresholds.clear ? 1 : 0;
  }
  rates.tpr /= manipulated;
  rates.miss /= manipulated;
  rates.fpr /= static_cast<double>(tracks.size()) - manipulated;
  return rates;
}

}  // namespace

Result<std::vector<TrackComparison>> CompareTracks(std::span<const LabelledTrack> tracks,
                                                   const FaceFit& face) {
  const OperatingPoints points{
      .face = {.faces = 1, .calibration = face.calibration, .thresholds = face.thresholds}};
  std::vector<TrackComparison> compared;
  for (const std::size_t count : kCounts) {
    std::vector<LabelledLogit> logits;
    for (const LabelledTrack& track : tracks)
      if (track.logits.size() >= count)
        logits.push_back({track.manipulated, TrackLogit(std::span(track.logits).first(count), points)});
    const auto fit = FitPoint(logits);
    if (!fit) return tl::unexpected(fit.error());
    TrackComparison comparison{.own = {.faces = static_cast<int>(count),
                                       .calibration = fit->calibration,
                                       .thresholds = fit->thresholds},
                               .miss_at_clear = fit->miss_at_clear};
    comparison.with_own = RatesOf(logits, comparison.own);
    comparison.with_one_face = RatesOf(logits, points.face);
    compared.push_back(comparison);
  }
  return compared;
}

bool NeedOwnPoints(std::span<const TrackComparison> compared) {
  return std::any_of(compared.begin(), compared.end(), [](const TrackComparison& row) {
    return row.with_one_face.fpr > kMaxFpr || row.with_own.tpr - row.with_one_face.tpr >= kMinGain;
  });
}

}  // namespace unmask
