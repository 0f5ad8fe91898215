// SPDX-License-Identifier: Apache-2.0
#include "analysis/face_keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::ElementsAre;

const cv::Rect kRect(10, 20, 40, 40);

void AddFace(FaceKeeper& keeper, int track, std::int64_t frame, double sharpness = 0.5, int side = 40,
             std::vector<std::string> codes = {}) {
  const FaceReport report{.track = track,
                          .frame = frame,
                          .time = static_cast<double>(frame) / 25,
                          .box = {12, 22, 30, 30},
                          .detector_score = 0.9,
                          .quality = {.sharpness = sharpness, .codes = std::move(codes)}};
  const Face face{.box = report.box, .score = 0.9, .landmarks = Landmarks{.right_eye = {14, 30}}};
  keeper.Add(report, face, kRect, cv::Mat(side, side, CV_8UC3, cv::Scalar(1, 2, 3)));
}

TrackReport TrackOf(int id, double logit) { return {.id = id, .logit = logit}; }

std::vector<std::int64_t> FramesOf(const std::vector<KeptFace>& faces) {
  std::vector<std::int64_t> frames;
  for (const KeptFace& face : faces) frames.push_back(face.frame);
  return frames;
}

TEST(FaceKeeper, KeepsAllOfAShortTrackWithTheirFacts) {
  FaceKeeper keeper(2);
  for (int frame : {3, 8, 9}) AddFace(keeper, 1, frame);
  const auto faces = keeper.Take({TrackOf(1, 0)});
  EXPECT_THAT(FramesOf(faces), ElementsAre(3, 8, 9));
  const KeptFace& face = faces.front();
  EXPECT_EQ(face.track, 1);
  EXPECT_EQ(face.box, (Box{12, 22, 30, 30}));
  EXPECT_EQ(face.landmarks->at(0), 14);
  EXPECT_EQ(face.crop_x, 10);
  EXPECT_EQ(face.crop_side, 40);
  EXPECT_EQ(face.picture.width, 40) << "small ones stay as they are";
  EXPECT_EQ(face.picture.bgr.size(), 40u * 40u * 3u);
}

TEST(FaceKeeper, SpreadsOverALongTrackWithinItsBound) {
  FaceKeeper keeper(2);
  for (int frame = 0; frame < 1000; ++frame) AddFace(keeper, 1, frame);
  const auto frames = FramesOf(keeper.Take({TrackOf(1, 0)}));
  EXPECT_GE(frames.size(), 2u);
  EXPECT_LE(frames.size(), 4u);
  EXPECT_LT(frames.front(), 300);
  EXPECT_GT(frames.back(), 500);
  EXPECT_TRUE(std::is_sorted(frames.begin(), frames.end()));
}

TEST(FaceKeeper, TakesTheBestOfEachStretch) {
  FaceKeeper keeper(1);
  // Five faces: more than two stretches of one, so they become stretches of two, then of four.
  AddFace(keeper, 1, 0, 0.9, 40, {"dark"});
  AddFace(keeper, 1, 1, 0.3);
  AddFace(keeper, 1, 2, 0.6);
  AddFace(keeper, 1, 3, 0.6);
  AddFace(keeper, 1, 4, 0.1);
  EXPECT_THAT(FramesOf(keeper.Take({TrackOf(1, 0)})), ElementsAre(2, 4))
      << "fewest codes, then the sharpest, then the earliest";
}

TEST(FaceKeeper, ReducesLargeCropsAsASetOfFacesDoes) {
  FaceKeeper keeper(1);
  AddFace(keeper, 1, 0, 0.5, 500);
  AddFace(keeper, 1, 1, 0.5, 224);
  const auto faces = keeper.Take({TrackOf(1, 0)});
  EXPECT_EQ(faces.at(0).picture.width, kKeptSide);
  EXPECT_EQ(faces.at(1).picture.width, 224);
}

TEST(FaceKeeper, GivesTheMostSuspiciousTracksFirstAndNoMoreThanItsBound) {
  FaceKeeper keeper(4);
  for (int track = 1; track <= 10; ++track)
    for (int frame = 0; frame < 8; ++frame) AddFace(keeper, track, frame);
  std::vector<TrackReport> tracks;
  for (int track = 1; track <= 10; ++track) tracks.push_back(TrackOf(track, track == 7 ? 5.0 : -track));
  const auto faces = keeper.Take(tracks);
  EXPECT_EQ(faces.size(), FaceKeeper::kMost);
  EXPECT_EQ(faces.front().track, 7);
  EXPECT_EQ(faces.back().track, 3);
}

TEST(FaceKeeper, FollowsTheTracksWithTheMostFaces) {
  FaceKeeper keeper(1);
  for (int frame = 0; frame < 3; ++frame) AddFace(keeper, 100, frame);
  for (int track = 1; track <= 40; ++track) AddFace(keeper, track, 10 + track);
  std::vector<TrackReport> tracks = {TrackOf(100, -9)};
  for (int track = 1; track <= 40; ++track) tracks.push_back(TrackOf(track, 1));
  const auto faces = keeper.Take(tracks);
  EXPECT_EQ(faces.back().track, 100) << "the long one was not dropped for short ones";
  EXPECT_LE(faces.size(), 2 + FaceKeeper::kTracks);
}

TEST(FaceKeeper, PassesOverWhatHasNoPixels) {
  FaceKeeper keeper(1);
  keeper.Add({.track = 1}, {}, kRect, cv::Mat());
  EXPECT_TRUE(keeper.Take({TrackOf(1, 0)}).empty());
}

}  // namespace
}  // namespace unmask
