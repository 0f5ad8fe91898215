// SPDX-License-Identifier: Apache-2.0
#include "analysis/stability.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "model/calibration.hpp"

namespace unmask {
namespace {

/// By how much each variant moves the mean logit of a track's crops.
Result<std::vector<double>> Shifts(const std::vector<FaceScores::Telling>& crops, const Scorer& scorer,
                                   const std::stop_token& stop) {
  std::vector<PreparedFace> prepared;
  for (const Degradation& variant : MildVariants())
    for (const FaceScores::Telling& telling : crops) {
      std::vector<cv::Mat> views;
      for (const cv::Mat& crop : telling.crops) {
        auto degraded = Degrade(crop, variant);
        if (!degraded) return tl::unexpected(degraded.error());
        views.push_back(std::move(*degraded));
      }
      prepared.push_back(scorer.Prepare(views));
    }
  const auto scores = scorer.Start(prepared, stop).get();
  if (!scores) return tl::unexpected(scores.error());

  std::vector<double> shifts;
  auto score = scores->begin();
  for (std::size_t v = 0; v < MildVariants().size(); ++v) {
    double sum = 0;
    for (const FaceScores::Telling& telling : crops)
      sum += static_cast<double>((score++)->logit) - telling.logit;
    shifts.push_back(sum / static_cast<double>(crops.size()));
  }
  return shifts;
}

bool AreOpposite(Verdict a, Verdict b) {
  return a != b && a != Verdict::kInconclusive && b != Verdict::kInconclusive;
}

}  // namespace

std::span<const Degradation> MildVariants() {
  using Kind = Degradation::Kind;
  static constexpr std::array kVariants = {Degradation{Kind::kJpeg, 80}, Degradation{Kind::kJpeg, 60},
                                           Degradation{Kind::kScale, 0.7}, Degradation{Kind::kBlur, 0.8}};
  return kVariants;
}

TrackStability JudgeStability(const TrackReport& track, int judged_tracks, std::span<const double> shifts,
                              const OperatingPoints& points) {
  TrackStability result;
  double lowest = *track.score;
  double highest = *track.score;
  bool opposite = false;
  const OperatingPoint& point = points.For(track.good_faces);
  for (const double shift : shifts) {
    const double score = CalibratedScore(*track.logit + shift, point.calibration);
    lowest = std::min(lowest, score);
    highest = std::max(highest, score);
    const Verdict verdict = JudgeScore(score, judged_tracks, point.thresholds).verdict;
    result.flips += verdict != track.verdict ? 1 : 0;
    opposite |= AreOpposite(verdict, track.verdict);
  }
  result.spread = highest - lowest;
  result.stable = !opposite && 2 * result.flips < static_cast<int>(shifts.size());
  return result;
}

Result<void> CheckStability(Report& report, const FaceScores& scores, const Scorer& scorer,
                            const std::stop_token& stop) {
  const OperatingPoints points = PointsOf(scorer.card());
  const int judged = JudgedTracks(report.tracks);
  const auto decides = [&](const TrackReport& track) {
    return track.score == report.score && track.verdict == report.verdict;
  };
  std::map<int, Stability> checked;
  for (TrackReport& track : report.tracks) {
    if (track.verdict == Verdict::kInconclusive || scores.CropsOf(track.id).empty()) continue;
    if (track.verdict == Verdict::kNoManipulationFound && !decides(track)) continue;
    const auto shifts = Shifts(scores.CropsOf(track.id), scorer, stop);
    if (!shifts) return tl::unexpected(shifts.error());
    const TrackStability stability = JudgeStability(track, judged, *shifts, points);
    checked[track.id] = {.checked = true,
                         .variants = static_cast<int>(shifts->size()),
                         .flips = stability.flips,
                         .spread = stability.spread};
    if (stability.stable) continue;
    track.verdict = Verdict::kInconclusive;
    track.reasons.push_back(Reason::kUnstable);
  }
  Conclude(report);
  for (const TrackReport& track : report.tracks)
    if (decides(track) && checked.contains(track.id)) report.stability = checked[track.id];
  return {};
}

}  // namespace unmask
