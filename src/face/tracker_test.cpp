// SPDX-License-Identifier: Apache-2.0
#include "face/tracker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Face FaceAt(double x, double y, double size = 100) { return {.box = {x, y, size, size}, .score = 0.9}; }

std::vector<int> Update(Tracker& tracker, double time, const std::vector<Face>& faces) {
  return tracker.Update(time, faces);
}

TEST(Tracker, NumbersNewFacesFromOne) {
  Tracker tracker({});
  EXPECT_THAT(Update(tracker, 0, {FaceAt(0, 0), FaceAt(300, 0), FaceAt(600, 0)}), ElementsAre(1, 2, 3));
}

TEST(Tracker, KeepsOneTrackThroughAShortGap) {
  Tracker tracker({.max_gap = 1.0});
  EXPECT_THAT(Update(tracker, 0.0, {FaceAt(100, 100)}), ElementsAre(1));
  EXPECT_THAT(Update(tracker, 0.5, {}), IsEmpty());
  EXPECT_THAT(Update(tracker, 1.0, {FaceAt(104, 101)}), ElementsAre(1));
}

TEST(Tracker, OpensANewTrackAfterALongGap) {
  Tracker tracker({.max_gap = 1.0});
  EXPECT_THAT(Update(tracker, 0.0, {FaceAt(100, 100)}), ElementsAre(1));
  EXPECT_THAT(Update(tracker, 1.1, {FaceAt(100, 100)}), ElementsAre(2));
}

TEST(Tracker, TellsFacesThatPassEachOtherByTheirMotion) {
  Tracker tracker({});
  for (int i = 0; i < 10; ++i) {
    const double shift = 40.0 * i;
    EXPECT_THAT(Update(tracker, 0.5 * i, {FaceAt(shift, 100), FaceAt(360 - shift, 130)}), ElementsAre(1, 2))
        << i;
  }
}

TEST(Tracker, FollowsAFaceThatComesNearer) {
  Tracker tracker({});
  double size = 60;
  for (int i = 0; i < 8; ++i, size *= 1.3)
    EXPECT_THAT(Update(tracker, 0.5 * i, {FaceAt(500 - size / 2, 500 - size / 2, size)}), ElementsAre(1))
        << i;
}

TEST(Tracker, FollowsSteadyMotionWithoutOverlap) {
  Tracker tracker({});
  EXPECT_THAT(Update(tracker, 0.0, {FaceAt(0, 0)}), ElementsAre(1));
  EXPECT_THAT(Update(tracker, 0.2, {FaceAt(50, 0)}), ElementsAre(1));
  EXPECT_THAT(Update(tracker, 0.7, {FaceAt(170, 0)}), ElementsAre(1));
}

TEST(Tracker, GivesTheBetterMatchToEachOfSeveralFacesWhateverTheirOrder) {
  Tracker tracker({});
  EXPECT_THAT(Update(tracker, 0, {FaceAt(0, 0), FaceAt(60, 0)}), ElementsAre(1, 2));
  EXPECT_THAT(Update(tracker, 0.5, {FaceAt(62, 0), FaceAt(2, 0)}), ElementsAre(2, 1));
}

TEST(Tracker, DoesNotGiveOneTrackTwoFaces) {
  Tracker tracker({});
  Update(tracker, 0, {FaceAt(0, 0)});
  EXPECT_THAT(Update(tracker, 0.5, {FaceAt(20, 0), FaceAt(-10, 0)}), ElementsAre(2, 1));
}

TEST(Tracker, DoesNotJoinFacesThatBarelyTouch) {
  Tracker tracker({.min_iou = 0.2});
  Update(tracker, 0, {FaceAt(0, 0)});
  EXPECT_THAT(Update(tracker, 0.5, {FaceAt(80, 0)}), ElementsAre(2));
}

TEST(Tracker, ExpectsItsLiveTracksWhereTheyMove) {
  Tracker tracker({.max_gap = 1.0});
  Update(tracker, 0.0, {FaceAt(0, 0)});
  Update(tracker, 0.5, {FaceAt(20, 0)});
  const auto expected = tracker.Expect(1.0);
  ASSERT_THAT(expected, SizeIs(1));
  EXPECT_EQ(expected[0].id, 1);
  EXPECT_DOUBLE_EQ(expected[0].last_seen, 0.5);
  EXPECT_GT(expected[0].box.x, 25);
  EXPECT_LT(expected[0].box.x, 45);
  EXPECT_THAT(tracker.Expect(1.6), IsEmpty());
}

TEST(Tracker, TakesTwoFramesOfTheSameTime) {
  Tracker tracker({});
  EXPECT_THAT(Update(tracker, 0.5, {FaceAt(0, 0)}), ElementsAre(1));
  EXPECT_THAT(Update(tracker, 0.5, {FaceAt(3, 0)}), ElementsAre(1));
}

}  // namespace
}  // namespace unmask
