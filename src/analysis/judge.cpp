// SPDX-License-Identifier: Apache-2.0
#include "analysis/judge.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

#include "model/calibration.hpp"

namespace unmask {
namespace {

using Faces = std::span<const FaceReport* const>;

std::vector<const FaceReport*> Usable(Faces faces) {
  std::vector<const FaceReport*> result;
  std::copy_if(faces.begin(), faces.end(), std::back_inserter(result),
               [](const FaceReport* f) { return f->used && f->logit; });
  return result;
}

int FacesNeeded(std::int64_t frames_analysed, const JudgeOptions& options) {
  return static_cast<int>(std::clamp<std::int64_t>(frames_analysed, 1, options.min_faces));
}

/// Runs of usable faces above the threshold. A single dip does not end a run while it stays above `clear`.
struct Run {
  std::size_t first = 0;
  std::size_t last = 0;
  int above = 0;
};

std::vector<Run> FindRuns(std::span<const FaceReport* const> faces, const Thresholds& thresholds) {
  std::vector<Run> runs;
  std::optional<Run> run;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const double score = *faces[i]->score;
    if (score >= thresholds.manipulated) {
      if (!run) run = Run{.first = i};
      run->last = i;
      ++run->above;
    } else if (run && (score < thresholds.clear || i - run->last > 1)) {
      runs.push_back(*run);
      run.reset();
    }
  }
  if (run) runs.push_back(*run);
  return runs;
}

Segment ToSegment(std::span<const FaceReport* const> faces, const Run& run) {
  const auto begin = faces.begin() + static_cast<std::ptrdiff_t>(run.first);
  const auto end = faces.begin() + static_cast<std::ptrdiff_t>(run.last) + 1;
  const FaceReport& peak =
      **std::max_element(begin, end, [](auto* a, auto* b) { return *a->score < *b->score; });
  return {.start = faces[run.first]->time,
          .end = faces[run.last]->time,
          .peak_time = peak.time,
          .peak_score = *peak.score};
}

/// The faces whose logits make the track's, highest first: all, or the higher half of persistent evidence.
std::vector<const FaceReport*> FacesThatDecide(std::vector<const FaceReport*> faces, bool persistent,
                                               const JudgeOptions& options) {
  std::stable_sort(faces.begin(), faces.end(), [](auto* a, auto* b) { return *a->logit > *b->logit; });
  if (!persistent) return faces;
  const auto share =
      static_cast<std::size_t>(std::ceil(options.top_share * static_cast<double>(faces.size())));
  faces.resize(std::min(faces.size(), std::max(share, static_cast<std::size_t>(options.top_min))));
  return faces;
}

template <typename LogitOf>
double MeanLogit(std::span<const FaceReport* const> faces, LogitOf logit_of) {
  double sum = 0;
  for (const FaceReport* face : faces) sum += logit_of(*face);
  return sum / static_cast<double>(faces.size());
}

/// What each member of an ensemble says of the faces that decide, had it judged them alone.
std::vector<MemberScore> MembersOfTrack(std::span<const FaceReport* const> faces, int good_faces,
                                        const OperatingPoints& points) {
  std::vector<MemberScore> members;
  for (std::size_t i = 0; i < points.members.size(); ++i) {
    const double logit = MeanLogit(faces, [i](const FaceReport& face) { return face.members[i].logit; });
    const OperatingPoint& point = points.members[i].For(good_faces);
    members.push_back({.score = CalibratedScore(logit, point.calibration), .logit = logit});
  }
  return members;
}

/// The score whose odds are those of `score` divided by `people`.
double ForOneOf(double score, int people) { return score / (score + people * (1 - score)); }

void AddReason(std::vector<Reason>& reasons, Reason reason) {
  if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end()) reasons.push_back(reason);
}

/// Why faces were not usable, most frequent cause first where that matters to a reader.
void AddQualityReasons(Faces faces, std::vector<Reason>& reasons) {
  bool small = false;
  bool poor = false;
  for (const FaceReport* face : faces)
    for (const std::string& code : face->quality.codes) {
      small |= code == "small";
      poor |= code == "blurred" || code == "dark" || code == "bright" || code == "patterned";
    }
  if (small) AddReason(reasons, Reason::kFacesTooSmall);
  if (poor) AddReason(reasons, Reason::kLowQuality);
}

/// The median, so that a few odd frames do not decide. `faces` may be empty.
bool LooksDrawn(std::span<const FaceReport* const> faces, const JudgeOptions& options) {
  std::vector<double> drawing;
  for (const FaceReport* face : faces) drawing.push_back(face->quality.drawing);
  if (drawing.empty()) return false;
  const auto middle = drawing.begin() + static_cast<std::ptrdiff_t>(drawing.size() / 2);
  std::nth_element(drawing.begin(), middle, drawing.end());
  return *middle >= options.max_drawing;
}

bool HasVerdict(const TrackReport& track) {
  return std::none_of(track.reasons.begin(), track.reasons.end(), [](Reason reason) {
    return reason == Reason::kFewFaces || reason == Reason::kNotAPhoto;
  });
}

std::map<int, std::vector<const FaceReport*>> ByTrack(const std::vector<FaceReport>& faces) {
  std::map<int, std::vector<const FaceReport*>> tracks;
  for (const FaceReport& face : faces) tracks[face.track].push_back(&face);
  return tracks;
}

}  // namespace

const OperatingPoint& OperatingPoints::For(int good_faces) const {
  const OperatingPoint* point = &face;
  for (const OperatingPoint& track : tracks)
    if (track.faces <= good_faces) point = &track;
  return *point;
}

OperatingPoints PointsOf(const ModelCard& card) {
  OperatingPoints points{.face = {.faces = 1, .calibration = card.calibration, .thresholds = card.thresholds},
                         .tracks = card.tracks,
                         .calibrated = card.calibration.fitted,
                         .members = {}};
  for (const ModelCard& member : card.members) points.members.push_back(PointsOf(member));
  return points;
}

ModelFacts FactsOf(const ModelCard& card) {
  ModelFacts facts{.name = card.name,
                   .version = card.version,
                   .label = {},
                   .sha256 = card.sha256,
                   .calibrated = card.calibration.fitted,
                   .thresholds = card.thresholds,
                   .members = {}};
  for (const ModelCard& member : card.members)
    facts.members.push_back({.name = member.name,
                             .version = member.version,
                             .sha256 = member.sha256,
                             .calibrated = member.calibration.fitted});
  return facts;
}

ScoreVerdict JudgeScore(double score, int judged_tracks, const Thresholds& thresholds) {
  if (ForOneOf(score, judged_tracks) >= thresholds.manipulated) return {Verdict::kManipulated, {}};
  if (score < thresholds.clear) return {Verdict::kNoManipulationFound, {}};
  return {Verdict::kInconclusive,
          score >= thresholds.manipulated ? Reason::kManyFaces : Reason::kBetweenThresholds};
}

bool CanBeJudged(Faces faces, std::int64_t frames_analysed, const JudgeOptions& options) {
  const auto usable = Usable(faces);
  return static_cast<int>(usable.size()) >= FacesNeeded(frames_analysed, options) &&
         !LooksDrawn(usable, options);
}

TrackReport JudgeTrack(Faces faces, std::int64_t frames_analysed, int judged_tracks,
                       const OperatingPoints& points, const JudgeOptions& options) {
  TrackReport track;
  track.start = faces.front()->time;
  track.end = faces.back()->time;
  track.faces = static_cast<int>(faces.size());

  std::vector<const FaceReport*> counted = Usable(faces);
  const bool enough = static_cast<int>(counted.size()) >= FacesNeeded(frames_analysed, options);
  const bool drawn = LooksDrawn(counted, options);
  if (drawn) AddReason(track.reasons, Reason::kNotAPhoto);
  if (!enough) {  // a score is still of interest, a verdict would not be honest
    std::copy_if(faces.begin(), faces.end(), std::back_inserter(counted),
                 [](auto* f) { return !f->used && f->logit; });
    std::sort(counted.begin(), counted.end(), [](auto* a, auto* b) { return a->time < b->time; });
    AddReason(track.reasons, Reason::kFewFaces);
    AddQualityReasons(faces, track.reasons);
  }
  const FaceReport* best = counted.empty()
                               ? faces.front()
                               : *std::max_element(counted.begin(), counted.end(),
                                                   [](auto* a, auto* b) { return *a->logit < *b->logit; });
  track.best = {.frame = best->frame, .time = best->time, .box = best->box};
  const OperatingPoint& point = points.For(static_cast<int>(counted.size()));
  track.good_faces = static_cast<int>(counted.size());
  track.thresholds = point.thresholds;
  if (counted.empty()) return track;

  const auto runs = FindRuns(counted, points.face.thresholds);
  const int persistent_at = std::min(options.persistent_faces, FacesNeeded(frames_analysed, options));
  const bool persistent =
      std::any_of(runs.begin(), runs.end(), [&](const Run& r) { return r.above >= persistent_at; });
  const auto deciding = FacesThatDecide(counted, persistent, options);
  track.logit = MeanLogit(deciding, [](const FaceReport& face) { return *face.logit; });
  track.members = MembersOfTrack(deciding, track.good_faces, points);
  track.score = CalibratedScore(*track.logit, point.calibration);
  if (!points.calibrated) AddReason(track.reasons, Reason::kNotCalibrated);
  if (!enough || drawn || !points.calibrated) return track;
  for (const Run& run : runs)
    if (run.above >= persistent_at) track.segments.push_back(ToSegment(counted, run));
  const ScoreVerdict verdict = JudgeScore(*track.score, judged_tracks, point.thresholds);
  track.verdict = verdict.verdict;
  if (verdict.reason) AddReason(track.reasons, *verdict.reason);
  return track;
}

void JudgeReport(Report& report, const OperatingPoints& points, const JudgeOptions& options) {
  report.thresholds = points.face.thresholds;
  const auto tracks = ByTrack(report.faces);
  const std::int64_t frames = report.sampling.frames_analysed;
  const auto judged = std::count_if(tracks.begin(), tracks.end(),
                                    [&](const auto& t) { return CanBeJudged(t.second, frames, options); });

  report.tracks.clear();
  report.tracks.reserve(tracks.size());
  for (const auto& [id, faces] : tracks) {
    report.tracks.push_back(
        JudgeTrack(faces, frames, std::max(1, static_cast<int>(judged)), points, options));
    report.tracks.back().id = id;
  }
  Conclude(report);
}

int JudgedTracks(std::span<const TrackReport> tracks) {
  return static_cast<int>(std::count_if(tracks.begin(), tracks.end(), HasVerdict));
}

void Conclude(Report& report) {
  const int judged = JudgedTracks(report.tracks);
  const TrackReport* strongest = nullptr;
  const auto rank = [](const TrackReport& track) {
    return std::tuple(track.verdict == Verdict::kManipulated, *track.score);
  };
  for (const TrackReport& track : report.tracks)
    if (track.score && (judged == 0 || HasVerdict(track)) &&
        (strongest == nullptr || rank(track) > rank(*strongest)))
      strongest = &track;

  if (strongest != nullptr) {
    report.verdict = strongest->verdict;
    report.score = strongest->score;
    report.logit = strongest->logit;
    report.members = strongest->members;
    report.thresholds = strongest->thresholds;
    report.reasons = strongest->reasons;
  } else {
    report.verdict = Verdict::kInconclusive;
    report.score.reset();
    report.logit.reset();
    report.members.clear();
    report.reasons = report.tracks.empty() ? std::vector{Reason::kNoFace} : report.tracks.front().reasons;
  }
}

}  // namespace unmask
