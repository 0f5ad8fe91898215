// SPDX-License-Identifier: Apache-2.0
#include "face/box_mapping.hpp"

#include <gtest/gtest.h>

#include "face/geometry.hpp"

namespace unmask {
namespace {

SsdFace TypicalFace(double x, double y, double size) {
  SsdFace face{.box = {x, y, size, size}, .score = 0.9};
  const auto at = [&](double u, double v) { return Point{x + u * size, y + v * size}; };
  face.keypoints = {at(0.30, 0.30), at(0.68, 0.30), at(0.48, 0.52),
                    at(0.49, 0.74), at(0.10, 0.38), at(0.92, 0.38)};
  return face;
}

SsdFace Mirrored(SsdFace face) {
  face.box.x = -(face.box.x + face.box.width);
  for (Point& point : face.keypoints) point.x = -point.x;
  std::swap(face.keypoints[SsdFace::kRightEye], face.keypoints[SsdFace::kLeftEye]);
  std::swap(face.keypoints[SsdFace::kRightEar], face.keypoints[SsdFace::kLeftEar]);
  return face;
}

class BoxMapTest : public testing::TestWithParam<const BoxMap*> {};

TEST_P(BoxMapTest, MovesAndGrowsWithTheFace) {
  const Box near = Apply(*GetParam(), TypicalFace(0, 0, 100));
  const Box far = Apply(*GetParam(), TypicalFace(500, 300, 50));
  EXPECT_NEAR(far.width, near.width / 2, 1e-9);
  EXPECT_NEAR(far.height, near.height / 2, 1e-9);
  EXPECT_NEAR(far.x, 500 + near.x / 2, 1e-9);
  EXPECT_NEAR(far.y, 300 + near.y / 2, 1e-9);
}

TEST_P(BoxMapTest, TreatsMirroredFacesAlike) {
  const Box box = Apply(*GetParam(), TypicalFace(10, 20, 100));
  const Box mirrored = Apply(*GetParam(), Mirrored(TypicalFace(10, 20, 100)));
  EXPECT_NEAR(mirrored.x, -(box.x + box.width), 1e-9);
  EXPECT_NEAR(mirrored.y, box.y, 1e-9);
  EXPECT_NEAR(mirrored.width, box.width, 1e-9);
  EXPECT_NEAR(mirrored.height, box.height, 1e-9);
}

TEST_P(BoxMapTest, MakesBoxesHigherThanWideThatHoldEyesAndMouth) {
  const SsdFace face = TypicalFace(0, 0, 100);
  const Box box = Apply(*GetParam(), face);
  EXPECT_GT(box.height, box.width);
  for (const int keypoint : {SsdFace::kRightEye, SsdFace::kLeftEye, SsdFace::kMouth}) {
    const Point point = face.keypoints[static_cast<std::size_t>(keypoint)];
    EXPECT_GT(point.x, box.x);
    EXPECT_LT(point.x, box.x + box.width);
    EXPECT_LT(point.y, box.y + box.height);
  }
}

TEST_P(BoxMapTest, StaysNearTheDetectorsBoxWhateverTheKeypointsSay) {
  SsdFace wild = TypicalFace(0, 0, 100);
  wild.keypoints.fill({1e6, -1e6});
  const Box box = Apply(*GetParam(), wild);
  EXPECT_LT(box.width, 210);
  EXPECT_GT(box.height, 45);
  EXPECT_LT(std::abs(Centre(box).y - 50), 51);
}

INSTANTIATE_TEST_SUITE_P(BothNetworks, BoxMapTest, testing::Values(&kFullRangeMap, &kShortRangeMap));

TEST(ToFace, NamesTheLandmarks) {
  const SsdFace ssd = TypicalFace(0, 0, 100);
  const Face face = ToFace(ssd, kFullRangeMap);
  EXPECT_DOUBLE_EQ(face.score, 0.9);
  EXPECT_DOUBLE_EQ(face.landmarks->right_eye.x, 30);
  EXPECT_DOUBLE_EQ(face.landmarks->left_eye.x, 68);
  EXPECT_DOUBLE_EQ(face.landmarks->mouth.y, 74);
}

TEST(FromHaar, MakesAHigherBox) {
  const Box box = FromHaar({100, 100, 80, 80});
  EXPECT_GT(box.height, box.width);
  EXPECT_GT(Iou(box, {100, 100, 80, 80}), 0.4);
}

}  // namespace
}  // namespace unmask
