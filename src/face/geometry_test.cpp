// SPDX-License-Identifier: Apache-2.0
#include "face/geometry.hpp"

#include <gtest/gtest.h>

namespace unmask {
namespace {

TEST(Iou, IsOneForTheSameBoxAndNothingForApartOnes) {
  const Box box{10, 20, 30, 40};
  EXPECT_DOUBLE_EQ(Iou(box, box), 1);
  EXPECT_DOUBLE_EQ(Iou(box, {100, 20, 30, 40}), 0);
  EXPECT_DOUBLE_EQ(Iou(box, {40, 20, 30, 40}), 0) << "touching is not overlapping";
}

TEST(Iou, IsTheSharedPartOfTheUnion) { EXPECT_DOUBLE_EQ(Iou({0, 0, 10, 10}, {5, 0, 10, 10}), 50.0 / 150); }

TEST(Iou, IsNothingForBoxesWithoutArea) {
  EXPECT_DOUBLE_EQ(Iou({}, {}), 0);
  EXPECT_DOUBLE_EQ(Iou({0, 0, -5, 5}, {0, 0, 5, 5}), 0);
}

TEST(Containment, IsOneForABoxWithinAnother) {
  EXPECT_DOUBLE_EQ(Containment({0, 0, 100, 100}, {10, 10, 5, 5}), 1);
  EXPECT_DOUBLE_EQ(Containment({10, 10, 5, 5}, {0, 0, 100, 100}), 1);
  EXPECT_DOUBLE_EQ(Containment({0, 0, 10, 10}, {20, 0, 10, 10}), 0);
  EXPECT_DOUBLE_EQ(Containment({0, 0, 10, 10}, {5, 0, 100, 100}), 0.5);
}

TEST(Centre, IsTheMiddle) {
  EXPECT_DOUBLE_EQ(Centre({10, 20, 30, 40}).x, 25);
  EXPECT_DOUBLE_EQ(Centre({10, 20, 30, 40}).y, 40);
}

}  // namespace
}  // namespace unmask
