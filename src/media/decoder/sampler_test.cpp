// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/sampler.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::decoder {
namespace {

using testing::ElementsAre;

std::vector<int> TakenOf(Sampler sampler, const std::vector<double>& times) {
  std::vector<int> taken;
  for (std::size_t i = 0; i < times.size(); ++i)
    if (sampler.Take(times[i])) taken.push_back(static_cast<int>(i));
  return taken;
}

std::vector<double> Regular(double fps, int count) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) times.push_back(i / fps);
  return times;
}

TEST(Sampler, TakesTheFirstFrameAtOrAfterEachSampleTime) {
  EXPECT_THAT(TakenOf(Sampler(2, 100), Regular(25, 51)), ElementsAre(0, 13, 25, 38, 50));
}

TEST(Sampler, TakesAFrameOnceWhenItIsTheFirstAfterSeveralSampleTimes) {
  EXPECT_THAT(TakenOf(Sampler(10, 100), {0, 0.5, 0.55, 0.61}), ElementsAre(0, 1, 3));
}

TEST(Sampler, TakesEveryFrameWhenTheSamplesAreDenser) {
  EXPECT_THAT(TakenOf(Sampler(60, 100), Regular(24, 5)), ElementsAre(0, 1, 2, 3, 4));
}

TEST(Sampler, ForgivesTimesThatWereRoundedToMilliseconds) {
  EXPECT_THAT(TakenOf(Sampler(3, 100), {0, 0.333, 0.667, 1.0}), ElementsAre(0, 1, 2, 3));
}

TEST(Sampler, SampleTimesDoNotDriftOverALongClip) {
  Sampler sampler(1.0 / 3, 1'000'000);
  for (int k = 0; k < 100'000; ++k) {
    ASSERT_TRUE(sampler.Take(k * 3.0)) << k;
    ASSERT_FALSE(sampler.Take(k * 3.0 + 1)) << k;
  }
}

TEST(Sampler, NeverTakesMoreThanTheLimit) {
  Sampler sampler(2, 3);
  int taken = 0;
  for (const double time : Regular(25, 1000)) taken += sampler.Take(time);
  EXPECT_EQ(taken, 3);
  EXPECT_TRUE(sampler.Full());
}

TEST(SpreadFps, KeepsTheRateOfAShortClip) {
  EXPECT_EQ(SpreadFps(2, 256, 100.0), 2);
  EXPECT_EQ(SpreadFps(2, 256, {}), 2);
  EXPECT_EQ(SpreadFps(2, 256, 0.0), 2);
}

TEST(SpreadFps, SpreadsTheSamplesOfALongClipToItsEnd) {
  const double duration = 3600;
  const double fps = SpreadFps(2, 256, duration);
  EXPECT_NEAR(fps, 256 / 3600.0, 1e-12);
  Sampler sampler(fps, 256);
  int taken = 0;
  double last = 0;
  for (int i = 0; i < 3600 * 25; ++i)
    if (sampler.Take(i / 25.0)) ++taken, last = i / 25.0;
  EXPECT_EQ(taken, 256);
  EXPECT_GT(last, 3580);
}

}  // namespace
}  // namespace unmask::decoder
