// SPDX-License-Identifier: Apache-2.0
#include "compat/main_faces.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

FaceReport Face(int track, std::int64_t frame, double size, std::optional<double> score = 0.5) {
  return {.track = track, .frame = frame, .box = {0, 0, size, size}, .score = score};
}

TrackReport Track(int id, Verdict verdict, double score) {
  return {.id = id, .verdict = verdict, .score = score};
}

TEST(MainFaces, PrefersTheTrackThatDecidesToALargerFace) {
  Report report;
  report.verdict = Verdict::kManipulated;
  report.score = 0.95;
  report.tracks = {Track(1, Verdict::kNoManipulationFound, 0.1), Track(2, Verdict::kManipulated, 0.95)};
  report.faces = {Face(1, 0, 200), Face(2, 0, 100), Face(1, 7, 200), Face(3, 7, 250)};
  EXPECT_EQ(DecidingTrack(report), 2);
  const auto faces = MainFaces(report);
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_EQ(faces[0]->track, 2);
  EXPECT_EQ(faces[1]->track, 3);
  EXPECT_EQ(faces[1]->frame, 7);
}

TEST(MainFaces, TakesTheFirstOfEqualFacesAndLeavesUnscoredOnesOut) {
  Report report;
  report.faces = {Face(1, 0, 100), Face(2, 0, 100), Face(3, 1, 100, std::nullopt)};
  EXPECT_EQ(DecidingTrack(report), 0);
  const auto faces = MainFaces(report);
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_EQ(faces[0]->track, 1);
  EXPECT_TRUE(MainFaces(Report{}).empty());
}

}  // namespace
}  // namespace unmask::compat
