// SPDX-License-Identifier: Apache-2.0
#include "analysis/limits.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace unmask {
namespace {

bool Holds(const std::string& situation, const Report& report) {
  if (situation == "still") return report.media.kind == MediaKind::kImage;
  if (situation == "video") return report.media.kind == MediaKind::kVideo;
  if (situation == "manipulated") return report.verdict == Verdict::kManipulated;
  if (situation == "cleared") return report.verdict == Verdict::kNoManipulationFound;
  if (situation == "inconclusive") return report.verdict == Verdict::kInconclusive;
  if (situation == "not_manipulated") return report.verdict != Verdict::kManipulated;
  if (situation == "heat_map")
    return std::any_of(report.tracks.begin(), report.tracks.end(),
                       [](const TrackReport& track) { return track.best.heat != nullptr; });
  return situation != "card";
}

/// The median size of the faces that counted in the track that decided; 0 without one.
double SizeOfFaces(const Report& report) {
  const auto track = std::find_if(report.tracks.begin(), report.tracks.end(), [&](const TrackReport& t) {
    return t.score == report.score && t.verdict == report.verdict;
  });
  if (track == report.tracks.end()) return 0;
  std::vector<double> sizes;
  for (const FaceReport& face : report.faces)
    if (face.track == track->id && face.used) sizes.push_back(face.quality.size);
  if (sizes.empty()) return 0;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle;
}

/// The shorter side of the model's input; of an ensemble the largest one, as fine traces are lost to that
/// member first.
int PixelsSeen(const ModelCard& card) {
  int most = std::min(card.input.width, card.input.height);
  for (const ModelCard& member : card.members) most = std::max(most, PixelsSeen(member));
  return most;
}

}  // namespace

std::vector<std::string> LimitsOf(const Report& report, const ModelCard& card) {
  std::vector<std::string> limits;
  if (report.tracks.empty()) return limits;
  for (const ModelLimit& limit : card.limits)
    if (std::all_of(limit.when.begin(), limit.when.end(),
                    [&](const std::string& situation) { return Holds(situation, report); }))
      limits.push_back(limit.text);
  if (report.verdict == Verdict::kInconclusive) return limits;
  if (report.media.kind == MediaKind::kImage)
    limits.emplace_back(
        "This is one look at each face: a video of the same person would say more than a picture.");
  const double size = SizeOfFaces(report);
  const int needed = PixelsSeen(card);
  if (size > 0 && size < needed)
    limits.push_back(
        fmt::format("The face is about {} pixels wide, less than the {} that the model looks at: fine traces "
                    "are lost.",
                    std::lround(size), needed));
  return limits;
}

}  // namespace unmask
