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

std::vector<std::int64_t> PickedOf(Picker picker, const std::vector<std::int64_t>& offered) {
  std::vector<std::int64_t> taken;
  for (const std::int64_t index : offered)
    if (picker.Take(index)) taken.push_back(index);
  return taken;
}

TEST(Picker, TakesEveryStepthFrameFromTheFirst) {
  EXPECT_THAT(PickedOf(Picker({.step = 3}, 100), {0, 1, 2, 3, 4, 6, 7}), ElementsAre(0, 3, 6));
  EXPECT_THAT(PickedOf(Picker({.step = 1, .indices = {2}}, 100), {0, 1}), ElementsAre(0, 1));
}

TEST(Picker, TakesTheListedFramesAndLeavesOutThoseThatNeverCome) {
  EXPECT_THAT(PickedOf(Picker({.indices = {1, 4, 5, 900}}, 100), {0, 1, 2, 3, 5, 6}), ElementsAre(1, 5));
}

TEST(Picker, TakesNothingOfAnEmptyPick) {
  EXPECT_THAT(PickedOf(Picker({}, 100), {0, 1, 2}), ElementsAre());
  EXPECT_FALSE(Picker({}, 100).next());
}

TEST(Picker, TakesNoMoreThanTheLimit) {
  EXPECT_THAT(PickedOf(Picker({.step = 1}, 2), {0, 1, 2, 3}), ElementsAre(0, 1));
}

TEST(Picker, KnowsTheNextFrameThatItMayTake) {
  Picker list({.indices = {2, 5}}, 100);
  EXPECT_EQ(list.next(), 2);
  list.Take(2);
  EXPECT_EQ(list.next(), 5);
  list.Take(6);
  EXPECT_FALSE(list.next());

  Picker step({.step = 4}, 2);
  EXPECT_EQ(step.next(), 0);
  step.Take(1);
  EXPECT_EQ(step.next(), 4);
  step.Take(4);
  EXPECT_EQ(step.next(), 8);
  step.Take(8);
  EXPECT_FALSE(step.next()) << "two were taken";
}

}  // namespace
}  // namespace unmask::decoder
