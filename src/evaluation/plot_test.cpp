// SPDX-License-Identifier: Apache-2.0
#include "evaluation/plot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::HasSubstr;
using testing::Not;

Plot Square() {
  return Plot("label", "words", {.title = "x", .ticks = UnitTicks(false)},
              {.title = "y", .ticks = UnitTicks(true)});
}

std::vector<double> Places(const std::vector<Axis::Tick>& ticks) {
  std::vector<double> places;
  for (const Axis::Tick& tick : ticks) places.push_back(tick.at);
  return places;
}

TEST(RoundTicks, AreRoundAndWithinTheAxis) {
  EXPECT_THAT(Places(RoundTicks(0, 10)), testing::ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(Places(RoundTicks(-6, 6, 6)), testing::ElementsAre(-6, -4, -2, 0, 2, 4, 6));
  const auto fine = RoundTicks(0.87, 0.96);
  EXPECT_GE(fine.size(), 3U);
  EXPECT_GE(fine.front().at, 0.87);
  EXPECT_LE(fine.back().at, 0.96 + 1e-9);
  EXPECT_EQ(RoundTicks(0, 0.002)[0].label, "0");
  EXPECT_TRUE(RoundTicks(1, 1).empty());
}

TEST(Plot, EscapesEveryWord) {
  const std::string evil = "<script>\"&'";
  Plot plot(evil, evil, {.title = evil, .ticks = {{0, evil}}}, {.title = evil, .ticks = {{0, evil}}});
  plot.Bar("real", 0, 0, 1, 1, evil);
  plot.Dot("real", 0, 0, evil);
  plot.Vertical("real", 0.5, evil);
  plot.Horizontal("real", 0.5, evil);
  plot.Text(0, 0, evil);
  plot.Legend("real", "dot", evil);
  EXPECT_THAT(plot.Figure(""), Not(HasSubstr("<script")));
}

TEST(Plot, CutsValuesOffAtTheFrame) {
  Plot near = Square();
  near.Dot("a", 1, 1);
  Plot far = Square();
  far.Dot("a", 1e9, 1e300);
  EXPECT_EQ(near.Figure(""), far.Figure(""));
}

TEST(Plot, DrawsOnlyAsManyPointsAsCanBeSeen) {
  Plot plot = Square();
  Plot::Points points;
  for (int i = 0; i <= 1'000'000; ++i) points.emplace_back(i / 1e6, i / 1e6);
  plot.Line("", points);
  EXPECT_LT(plot.Figure("").size(), 30'000U);
}

TEST(Plot, HasALabelForScreenReadersAndItsNumbersFoldedAway) {
  const std::string html = Square().Figure("caption", "<table></table>");
  EXPECT_THAT(html, HasSubstr("role=\"img\" aria-label=\"label\""));
  EXPECT_THAT(html, HasSubstr("<desc>words</desc>"));
  EXPECT_THAT(html, HasSubstr("<figcaption>caption</figcaption>"));
  EXPECT_THAT(html, HasSubstr("<details><summary>The numbers</summary>"));
}

}  // namespace
}  // namespace unmask
