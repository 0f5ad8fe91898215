// SPDX-License-Identifier: Apache-2.0
#include "analysis/joined_heat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

HeatMap Map(int width, int height, std::vector<float> values, Box region = {0, 0, 100, 100}) {
  return {width, height, std::move(values), region};
}

TEST(JoinedHeat, IsNothingWithoutAMapThatCounts) {
  EXPECT_EQ(JoinHeatMaps({}), nullptr);
  EXPECT_EQ(JoinHeatMaps({{.map = Map(1, 1, {0.5F}), .weight = 0}}), nullptr);
}

TEST(JoinedHeat, LeavesASingleMapAsItIs) {
  const auto joined = JoinHeatMaps({{.map = Map(2, 1, {0.25F, 0.75F}, {3, 4, 5, 6}), .weight = 0.3},
                                    {.map = Map(1, 1, {1.0F}), .weight = 0}});
  ASSERT_NE(joined, nullptr);
  EXPECT_THAT(joined->values, testing::ElementsAre(0.25F, 0.75F));
  EXPECT_EQ(joined->region.x, 3);
  EXPECT_EQ(joined->width, 2);
}

TEST(JoinedHeat, IsTheWeightedMeanOnTheFirstMapsGrid) {
  const auto joined = JoinHeatMaps(
      {{.map = Map(2, 1, {0.2F, 0.6F}), .weight = 3}, {.map = Map(2, 2, {1, 0, 1, 0}), .weight = 1}});
  ASSERT_NE(joined, nullptr);
  EXPECT_NEAR(joined->values[0], (3 * 0.2 + 1) / 4, 1e-6);
  EXPECT_NEAR(joined->values[1], (3 * 0.6 + 0) / 4, 1e-6);
}

TEST(JoinedHeat, TakesEachCellFromTheMapsThatCoverIt) {
  // The second map's square lies in the right half of the first one's.
  const auto joined = JoinHeatMaps({{.map = Map(2, 1, {0.2F, 0.2F}), .weight = 1},
                                    {.map = Map(1, 1, {0.8F}, {60, 0, 40, 100}), .weight = 1}});
  ASSERT_NE(joined, nullptr);
  EXPECT_NEAR(joined->values[0], 0.2, 1e-6);
  EXPECT_NEAR(joined->values[1], 0.5, 1e-6);
}

TEST(JoinedHeat, InterpolatesBetweenCells) {
  const auto joined =
      JoinHeatMaps({{.map = Map(1, 1, {0.5F}), .weight = 1}, {.map = Map(2, 2, {0, 1, 0, 1}), .weight = 1}});
  ASSERT_NE(joined, nullptr);
  EXPECT_NEAR(joined->values[0], 0.5, 1e-6) << "the middle of the picture lies between the columns";
}

TEST(TurnedHeat, TurnsClockwiseAboutItsCentre) {
  const HeatMap upright = Map(2, 2, {1, 0.5F, 0.25F, 0}, {3, 4, 50, 50});
  HeatMap turned = upright;
  TurnHeatMap(turned, 90);
  EXPECT_THAT(turned.values, testing::Pointwise(testing::FloatNear(1e-5F), {0.25F, 1.0F, 0.0F, 0.5F}));
  EXPECT_EQ(turned.region.x, 3);
  TurnHeatMap(turned, -90);
  EXPECT_THAT(turned.values, testing::Pointwise(testing::FloatNear(1e-5F), upright.values));
}

TEST(TurnedHeat, HasNothingWhereTheSquareDidNotReach) {
  HeatMap map = Map(9, 9, std::vector<float>(81, 1));
  TurnHeatMap(map, 45);
  EXPECT_LT(map.values.front(), 0.1F);
  EXPECT_NEAR(map.values[40], 1, 1e-5);
}

}  // namespace
}  // namespace unmask
