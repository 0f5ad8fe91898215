// SPDX-License-Identifier: Apache-2.0
#include "render/heat.hpp"

#include <gtest/gtest.h>

#include "render/example_report.hpp"

namespace unmask {
namespace {

/// Two cells side by side over the media's pixels 100..300 x 50..150; the right one is hot.
HeatMap RightHalf() { return {.width = 2, .height = 1, .values = {0, 1}, .region = {100, 50, 200, 100}}; }

std::uint8_t At(const Picture& picture, int x, int y) {
  return picture.bgr[3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                          static_cast<std::size_t>(x))];
}

TEST(TintWithHeat, ChangesOnlyWhatTheMapCovers) {
  Picture picture = *PlainPicture(200, 100, 100);
  TintWithHeat(picture, {0, 0, 400, 200}, RightHalf());  // half of the media's size
  EXPECT_EQ(At(picture, 10, 50), 100) << "left of the map";
  EXPECT_EQ(At(picture, 60, 50), 100) << "in its cold half";
  EXPECT_NE(At(picture, 130, 50), 100) << "in its hot half";
  EXPECT_EQ(At(picture, 190, 50), 100) << "right of the map";
  EXPECT_EQ(At(picture, 130, 95), 100) << "below the map";
}

TEST(TintWithHeat, LeavesTheFaceRecognisable) {
  Picture dark = *PlainPicture(50, 50, 0);
  Picture light = *PlainPicture(50, 50, 255);
  const HeatMap hot{.width = 1, .height = 1, .values = {1}, .region = {0, 0, 50, 50}};
  TintWithHeat(dark, {0, 0, 50, 50}, hot);
  TintWithHeat(light, {0, 0, 50, 50}, hot);
  EXPECT_GT(At(light, 25, 25) - At(dark, 25, 25), 60);
}

TEST(TintWithHeat, ShowsAModestPeakInFullAndAFaintOneFaintly) {
  const auto tinted = [](float peak) {
    Picture picture = *PlainPicture(50, 50, 0);
    TintWithHeat(picture, {0, 0, 50, 50},
                 {.width = 1, .height = 1, .values = {peak}, .region = {0, 0, 50, 50}});
    return At(picture, 25, 25);
  };
  EXPECT_EQ(tinted(0.5F), tinted(1.0F));
  EXPECT_LT(tinted(0.05F), tinted(1.0F));
}

TEST(TintWithHeat, TakesNothingForNothing) {
  Picture picture = *PlainPicture(20, 10, 9);
  const Picture before = picture;
  TintWithHeat(picture, {0, 0, 20, 10}, HeatMap{});
  TintWithHeat(picture, {0, 0, 0, 0}, RightHalf());
  TintWithHeat(picture, {0, 0, 20, 10},
               HeatMap{.width = 3, .height = 3, .values = {1}, .region = {0, 0, 9, 9}});
  EXPECT_EQ(picture.bgr, before.bgr);
  Picture empty;
  TintWithHeat(empty, {0, 0, 20, 10}, RightHalf());
  EXPECT_TRUE(empty.bgr.empty());
}

TEST(PeakOf, NamesTheHottestPlace) {
  const HeatPeak peak = PeakOf(RightHalf());
  EXPECT_DOUBLE_EQ(peak.x, 250);
  EXPECT_DOUBLE_EQ(peak.y, 100);
  EXPECT_DOUBLE_EQ(peak.value, 1);
  EXPECT_DOUBLE_EQ(PeakOf({}).value, 0);
}

TEST(ShowsHeat, NotWhereNothingWasFound) {
  TrackReport track;
  track.best.heat = std::make_shared<HeatMap>(RightHalf());
  track.verdict = Verdict::kManipulated;
  EXPECT_TRUE(ShowsHeat(track));
  track.verdict = Verdict::kNoManipulationFound;
  EXPECT_FALSE(ShowsHeat(track));
  track.verdict = Verdict::kInconclusive;
  track.best.heat.reset();
  EXPECT_FALSE(ShowsHeat(track));
}

}  // namespace
}  // namespace unmask
