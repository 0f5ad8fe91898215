// SPDX-License-Identifier: Apache-2.0
#include "compat/predict/sampling.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(PredictSampling, RoundsHalfToEven) {
  EXPECT_EQ(PredictStep(25, 2), 12);  // 12.5
  EXPECT_EQ(PredictStep(25, 10), 2);  // 2.5
  EXPECT_EQ(PredictStep(15, 2), 8);   // 7.5
  EXPECT_EQ(PredictStep(29.97, 2), 15);
  EXPECT_EQ(PredictStep(30, 2), 15);
}

TEST(PredictSampling, ClampsTheTargetFromBelow) {
  EXPECT_EQ(PredictStep(25, 0.1), 250);
  EXPECT_EQ(PredictStep(25, 1e-9), 250);
  EXPECT_EQ(PredictStep(25, -3), 250);
  EXPECT_EQ(PredictStep(25, -kInfinity), 250);
}

TEST(PredictSampling, LooksAtEveryFrameWhenMoreIsAskedForThanThereIs) {
  EXPECT_EQ(PredictStep(25, 25), 1);
  EXPECT_EQ(PredictStep(25, 1000), 1);
  EXPECT_EQ(PredictStep(25, kInfinity), 1);
}

TEST(PredictSampling, RefusesNaNInTheWordsOfTheOriginal) {
  const auto step = PredictStep(25, kNaN);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, ErrorCode::kBadRequest);
  EXPECT_EQ(step.error().message, "cannot convert float NaN to integer");
}

TEST(PredictSampling, BoundsTheStepOfAbsurdMedia) { EXPECT_GT(*PredictStep(1e300, 0.1), 0); }

TEST(PredictSampling, TakesZeroAsAbsent) {
  EXPECT_EQ(PredictTargetFps(std::nullopt, 2), 2);
  EXPECT_EQ(PredictTargetFps(0.0, 2), 2);
  EXPECT_EQ(PredictTargetFps(-0.0, 2), 2);
  EXPECT_EQ(PredictTargetFps(4.0, 2), 4);
  EXPECT_EQ(PredictTargetFps(-4.0, 2), -4);
}

TEST(PredictSampling, Assumes25FramesASecondWhenTheMediaStateNone) {
  EXPECT_EQ(PredictSourceFps(std::nullopt), 25);
  EXPECT_EQ(PredictSourceFps(0.0), 25);
  EXPECT_EQ(PredictSourceFps(kNaN), 25);
  EXPECT_EQ(PredictSourceFps(kInfinity), 25);
  EXPECT_EQ(PredictSourceFps(29.97), 29.97);
}

TEST(PredictSampling, FallsBackTo16To31Frames) {
  EXPECT_THAT(PredictFallback(0), testing::IsEmpty());
  EXPECT_THAT(PredictFallback(-5), testing::IsEmpty());
  EXPECT_THAT(PredictFallback(3), testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(PredictFallback(31).size(), 31U);
  EXPECT_EQ(PredictFallback(32).size(), 16U);
  const auto of60 = PredictFallback(60);  // stride 3
  EXPECT_EQ(of60.size(), 20U);
  EXPECT_EQ(of60[1], 3);
  for (std::int64_t total = 16; total < 2000; ++total) {
    EXPECT_GE(PredictFallback(total).size(), 16U) << total;
    EXPECT_LE(PredictFallback(total).size(), 31U) << total;
    EXPECT_LT(PredictFallback(total).back(), total) << total;
  }
}

}  // namespace
}  // namespace unmask::compat
