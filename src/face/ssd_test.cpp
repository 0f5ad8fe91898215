// SPDX-License-Identifier: Apache-2.0
#include "face/ssd.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

SsdFace FaceAt(double x, double y, double size, double score, bool cut = false) {
  SsdFace face{.box = {x, y, size, size}, .score = score, .cut = cut};
  face.keypoints.fill({x + size / 2, y + size / 2});
  return face;
}

TEST(MakeAnchors, GivesTheFullRangeNetworkOneForEachCellOfFourPixels) {
  const AnchorLayer layers[] = {{.stride = 4, .per_cell = 1}};
  const auto anchors = MakeAnchors(192, layers);
  ASSERT_THAT(anchors, SizeIs(2304));
  EXPECT_DOUBLE_EQ(anchors[0].x, 2);
  EXPECT_DOUBLE_EQ(anchors[0].y, 2);
  EXPECT_DOUBLE_EQ(anchors[49].x, 6) << "row by row";
  EXPECT_DOUBLE_EQ(anchors[49].y, 6);
  EXPECT_DOUBLE_EQ(anchors.back().x, 190);
}

TEST(MakeAnchors, GivesTheShortRangeNetworkTwoAndSixForEachCell) {
  const AnchorLayer layers[] = {{.stride = 8, .per_cell = 2}, {.stride = 16, .per_cell = 6}};
  const auto anchors = MakeAnchors(128, layers);
  ASSERT_THAT(anchors, SizeIs(896));
  EXPECT_DOUBLE_EQ(anchors[1].x, 4);
  EXPECT_DOUBLE_EQ(anchors[2].x, 12);
  EXPECT_DOUBLE_EQ(anchors[512].x, 8);
  EXPECT_DOUBLE_EQ(anchors[512 + 5].x, 8);
  EXPECT_DOUBLE_EQ(anchors[512 + 6].x, 24);
}

class DecodeFacesTest : public testing::Test {
 protected:
  std::vector<Point> anchors_{{10, 10}, {50, 60}};
  std::vector<float> boxes_ = std::vector<float>(32, 1.0f);
  std::vector<float> logits_{-5.0f, 2.0f};
};

TEST_F(DecodeFacesTest, AddsOffsetsToTheAnchorOfEachStrongBox) {
  const float raw[16] = {1, -2, 20, 30, -4, -5, 4, -5, 0, 1, 0, 8, -9, 0, 9, 0};
  std::copy(std::begin(raw), std::end(raw), boxes_.begin() + 16);
  const auto faces = DecodeFaces(anchors_, boxes_, logits_, 0.5);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_EQ(faces[0].box, (Box{41, 43, 20, 30}));
  EXPECT_NEAR(faces[0].score, 0.8808, 1e-4);
  EXPECT_DOUBLE_EQ(faces[0].keypoints[SsdFace::kRightEye].x, 46);
  EXPECT_DOUBLE_EQ(faces[0].keypoints[SsdFace::kMouth].y, 68);
  EXPECT_DOUBLE_EQ(faces[0].keypoints[SsdFace::kLeftEar].x, 59);
}

TEST_F(DecodeFacesTest, ClipsExtremeLogits) {
  logits_ = {-1e30f, 1e30f};
  const auto faces = DecodeFaces(anchors_, boxes_, logits_, 0.5);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_DOUBLE_EQ(faces[0].score, 1);
}

TEST_F(DecodeFacesTest, LeavesOutBoxesThatAreEmptyOrNotFinite) {
  logits_ = {5, 5};
  boxes_[2] = -1;                                        // width
  boxes_[16] = std::numeric_limits<float>::quiet_NaN();  // x
  EXPECT_THAT(DecodeFaces(anchors_, boxes_, logits_, 0.5), IsEmpty());
  logits_ = {std::numeric_limits<float>::quiet_NaN(), -5};
  EXPECT_THAT(DecodeFaces(anchors_, boxes_, logits_, 0.5), IsEmpty());
}

TEST_F(DecodeFacesTest, GivesNothingForOutputsThatDoNotFit) {
  boxes_.pop_back();
  EXPECT_THAT(DecodeFaces(anchors_, boxes_, logits_, 0), IsEmpty());
  EXPECT_THAT(DecodeFaces({}, {}, {}, 0), IsEmpty());
}

TEST(SuppressWeighted, AveragesOverlappingBoxesByTheirScores) {
  const auto faces = SuppressWeighted({FaceAt(0, 0, 100, 0.6), FaceAt(8, 0, 100, 0.2)}, 0.3);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_NEAR(faces[0].box.x, 2, 1e-9);
  EXPECT_NEAR(faces[0].keypoints[0].x, 52, 1e-9);
  EXPECT_DOUBLE_EQ(faces[0].score, 0.6);
}

TEST(SuppressWeighted, KeepsApartWhatDoesNotOverlapStrongestFirst) {
  const auto faces = SuppressWeighted({FaceAt(0, 0, 50, 0.6), FaceAt(200, 0, 50, 0.9)}, 0.3);
  ASSERT_THAT(faces, SizeIs(2));
  EXPECT_DOUBLE_EQ(faces[0].score, 0.9);
}

TEST(SuppressWeighted, DoesNotDependOnTheOrder) {
  std::vector<SsdFace> faces{FaceAt(0, 0, 100, 0.5), FaceAt(9, 3, 100, 0.5), FaceAt(4, 8, 90, 0.5)};
  const auto forward = SuppressWeighted(faces, 0.3);
  std::reverse(faces.begin(), faces.end());
  const auto backward = SuppressWeighted(faces, 0.3);
  ASSERT_EQ(forward.size(), backward.size());
  EXPECT_EQ(forward[0].box, backward[0].box);
}

TEST(SuppressWeighted, TakesNothing) { EXPECT_THAT(SuppressWeighted({}, 0.3), IsEmpty()); }

TEST(MergePasses, PrefersAWholeFaceToAStrongerOneThatIsCut) {
  const auto faces = MergePasses({FaceAt(0, 0, 60, 0.9, true), FaceAt(0, 0, 100, 0.7)}, 0.3);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_DOUBLE_EQ(faces[0].box.width, 100);
}

TEST(MergePasses, DropsAPartThatLiesWithinAFace) {
  EXPECT_THAT(MergePasses({FaceAt(0, 0, 100, 0.9), FaceAt(60, 60, 30, 0.8)}, 0.3), SizeIs(1));
}

TEST(MergePasses, KeepsACutFaceThatNothingBetterCovers) {
  EXPECT_THAT(MergePasses({FaceAt(0, 0, 60, 0.9, true), FaceAt(300, 0, 60, 0.7)}, 0.3), SizeIs(2));
}

TEST(MergePasses, JoinsTheSameFaceOfTwoTiles) {
  const auto faces = MergePasses({FaceAt(100, 100, 50, 0.8), FaceAt(103, 99, 52, 0.9)}, 0.3);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_DOUBLE_EQ(faces[0].score, 0.9);
}

}  // namespace
}  // namespace unmask
