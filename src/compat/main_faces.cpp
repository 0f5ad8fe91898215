// SPDX-License-Identifier: Apache-2.0
#include "compat/main_faces.hpp"

#include <map>
#include <tuple>

namespace unmask::compat {

int DecidingTrack(const Report& report) {
  // As analysis/judge.hpp concludes: the report repeats the score of the track that decides.
  for (const auto& track : report.tracks)
    if (track.score && track.score == report.score && track.verdict == report.verdict) return track.id;
  return 0;
}

std::vector<const FaceReport*> MainFaces(const Report& report) {
  const int deciding = DecidingTrack(report);
  const auto rank = [&](const FaceReport& face) {
    return std::tuple(face.track == deciding && deciding != 0, face.box.width * face.box.height);
  };
  std::map<std::int64_t, const FaceReport*> main;
  for (const auto& face : report.faces) {
    if (!face.score) continue;
    const auto [at, added] = main.try_emplace(face.frame, &face);
    if (!added && rank(face) > rank(*at->second)) at->second = &face;
  }
  std::vector<const FaceReport*> faces;
  for (const auto& [frame, face] : main) faces.push_back(face);
  return faces;
}

}  // namespace unmask::compat
