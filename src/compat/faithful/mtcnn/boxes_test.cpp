// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/mtcnn/boxes.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat::mtcnn {
namespace {

using testing::ElementsAre;

Box At(double x, double y, double side, double score) {
  return {.x1 = x, .y1 = y, .x2 = x + side - 1, .y2 = y + side - 1, .score = score};
}

TEST(PyramidScales, FallUntilTheShorterSideIsOneWindow) {
  EXPECT_TRUE(PyramidScales({500, 19}).empty());
  EXPECT_THAT(PyramidScales({500, 20}), ElementsAre(0.6));
  const auto scales = PyramidScales({1280, 720});
  ASSERT_EQ(scales.size(), 11u);
  EXPECT_DOUBLE_EQ(scales[1], 0.6 * 0.709);
  EXPECT_GE(720 * scales.back(), 12);
}

TEST(WindowsOf, GivesTheWindowsOfATurnedGrid) {
  // Two columns of three cells each.
  std::vector<float> scores(12, 0.0F);
  std::vector<float> shifts(24);
  for (std::size_t i = 0; i < shifts.size(); ++i) shifts[i] = static_cast<float>(i);
  scores[2 * 1 + 1] = 0.6F;  // column 0, row 1
  scores[2 * 5 + 1] = 0.9F;  // column 1, row 2
  const auto boxes = WindowsOf({2, 3}, shifts, scores, 0.5);
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_EQ(boxes[0].x1, 2);
  EXPECT_EQ(boxes[0].y1, 6);
  EXPECT_EQ(boxes[0].x2, 24);
  EXPECT_EQ(boxes[0].y2, 28);
  EXPECT_THAT(boxes[0].shift, ElementsAre(4, 5, 6, 7));
  EXPECT_EQ(boxes[1].x1, 6);
  EXPECT_EQ(boxes[1].y1, 10);
  EXPECT_THAT(boxes[1].shift, ElementsAre(20, 21, 22, 23));
}

TEST(WindowsOf, GivesAWindowThatIsAloneTheShiftOfItsMirrorImage) {
  std::vector<float> scores(12, 0.0F);
  std::vector<float> shifts(24);
  for (std::size_t i = 0; i < shifts.size(); ++i) shifts[i] = static_cast<float>(i);
  scores[2 * 1 + 1] = 0.7F;
  EXPECT_THAT(WindowsOf({2, 3}, shifts, scores, 1).at(0).shift, ElementsAre(16, 17, 18, 19));
}

TEST(Suppress, KeepsTheStrongestOfThoseThatOverlap) {
  const std::vector<Box> boxes{At(0, 0, 10, 0.7), At(1, 0, 10, 0.9), At(50, 50, 10, 0.8)};
  const auto kept = Suppress(boxes, 0.5, Overlap::kUnion);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].score, 0.9);
  EXPECT_EQ(kept[1].score, 0.8);
  EXPECT_TRUE(Suppress({}, 0.5, Overlap::kUnion).empty());
}

TEST(Suppress, MeasuresByTheUnionOrBySmallerBox) {
  const std::vector<Box> boxes{At(0, 0, 10, 0.9), At(0, 0, 5, 0.8)};  // a quarter, all of the smaller one
  EXPECT_EQ(Suppress(boxes, 0.7, Overlap::kUnion).size(), 2u);
  EXPECT_EQ(Suppress(boxes, 0.7, Overlap::kSmaller).size(), 1u);
  EXPECT_EQ(Suppress(boxes, 0.25, Overlap::kUnion).size(), 2u) << "at the threshold a box stays";
}

TEST(Suppress, PutsTheLaterOfEqualScoresFirstAndDropsWhatIsNoNumber) {
  const auto kept = Suppress({At(0, 0, 5, 0.5), At(100, 0, 5, 0.5)}, 0.5, Overlap::kUnion);
  EXPECT_EQ(kept.at(0).x1, 100);
  Box broken = At(0, 0, 5, 0.4);
  broken.x2 = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Suppress({At(0, 0, 5, 0.5), broken}, 0.5, Overlap::kUnion).size(), 1u);
}

TEST(Suppress, TakesNoMoreThanThePackageCanNumber) {
  std::vector<Box> boxes;
  for (int i = 0; i < 32800; ++i) boxes.push_back(At(i % 200, i / 200.0, 30, 0.6 + i * 1e-6));
  EXPECT_LE(Suppress(boxes, 0.5, Overlap::kUnion).size(), kMaxBoxes);
  EXPECT_NEAR(Suppress(boxes, 0.5, Overlap::kUnion).at(0).score, 0.6 + 32799e-6, 1e-9);
}

TEST(ApplyShift, MovesCornersByPartsOfTheSize) {
  Box box = At(10, 20, 11, 1);
  box.shift = {0.1F, -0.1F, 0.5F, 0};
  Box other = box;
  ApplyShift(box, false);
  EXPECT_NEAR(box.x1, 11, 1e-6);
  EXPECT_NEAR(box.y1, 19, 1e-6);
  EXPECT_NEAR(box.x2, 25, 1e-6);
  EXPECT_NEAR(box.y2, 30, 1e-6);
  ApplyShift(other, true);
  EXPECT_NEAR(other.x1, 11.1, 1e-6);
}

TEST(MakeSquare, KeepsTheCentre) {
  Box box{.x1 = 0, .y1 = 0, .x2 = 10, .y2 = 20};
  MakeSquare(box);
  EXPECT_EQ(box.x1, -5);
  EXPECT_EQ(box.y1, 0);
  EXPECT_EQ(box.x2, 15);
  EXPECT_EQ(box.y2, 20);
  box.x1 = -5.7;
  Truncate(box);
  EXPECT_EQ(box.x1, -5);
}

TEST(CutOf, CountsCornersFromOne) {
  const auto inside = CutOf({.x1 = 1, .y1 = 2, .x2 = 10, .y2 = 12}, {100, 100});
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->size, cv::Size(10, 11));
  EXPECT_EQ(inside->source, cv::Rect(0, 1, 10, 11));
  EXPECT_EQ(inside->target, cv::Point(0, 0));
}

TEST(CutOf, LeavesBlackWhatLiesBesideThePicture) {
  const auto cut = CutOf({.x1 = -3, .y1 = 95, .x2 = 8, .y2 = 106}, {100, 100});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->size, cv::Size(12, 12));
  EXPECT_EQ(cut->source, cv::Rect(0, 94, 8, 6));
  EXPECT_EQ(cut->target, cv::Point(4, 0));
}

TEST(CutOf, HasNothingForBoxesWithoutAPixel) {
  const cv::Size picture(100, 100);
  EXPECT_FALSE(CutOf({.x1 = 10, .y1 = 10, .x2 = 9, .y2 = 20}, picture));
  EXPECT_FALSE(CutOf({.x1 = 101, .y1 = 10, .x2 = 120, .y2 = 20}, picture));
  EXPECT_FALSE(CutOf({.x1 = -20, .y1 = 10, .x2 = 0, .y2 = 20}, picture));
  EXPECT_FALSE(CutOf({.x1 = -1e9, .y1 = 10, .x2 = 1e9, .y2 = 20}, picture));
  EXPECT_FALSE(CutOf({.x1 = std::nan(""), .y1 = 10, .x2 = 20, .y2 = 20}, picture));
}

}  // namespace
}  // namespace unmask::compat::mtcnn
