// SPDX-License-Identifier: Apache-2.0
#include "model/canary.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::HasSubstr;

/// Scores of a mixed stream: most files clear, some manipulated.
double DrawScore(std::mt19937& random) {
  std::normal_distribution<double> logit(random() % 4 == 0 ? 2.0 : -2.0, 1.5);
  return 1 / (1 + std::exp(-logit(random)));
}

double Shifted(double score, double by) { return std::clamp(score + by, 0.0, 1.0); }

TEST(CanaryWatch, LetsAnEqualCanaryStay) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    CanaryWatch watch({});
    for (int i = 0; i < 1000; ++i) {
      watch.AddStable({.seconds = 0.04 + 0.02 * (random() % 10), .score = DrawScore(random)});
      watch.AddCanary({.seconds = 0.04 + 0.02 * (random() % 10), .score = DrawScore(random)});
      ASSERT_FALSE(watch.Complaint()) << *watch.Complaint() << " at " << i << " of seed " << seed;
    }
  }
}

TEST(CanaryWatch, FindsADriftOfTheScores) {
  for (const double drift : {0.25, -0.25}) {
    std::mt19937 random(1);
    CanaryWatch watch({});
    for (int i = 0; i < 500; ++i) {
      watch.AddStable({.seconds = 0.05, .score = 0.25 + 0.5 * DrawScore(random)});
      watch.AddCanary({.seconds = 0.05, .score = Shifted(0.25 + 0.5 * DrawScore(random), drift)});
    }
    ASSERT_TRUE(watch.Complaint());
    EXPECT_THAT(*watch.Complaint(), HasSubstr("score drift"));
    EXPECT_NEAR(*watch.Shift(), drift, 0.07);
  }
}

TEST(CanaryWatch, FindsItWithFewerFilesInTheShadow) {
  std::mt19937 random(2);
  CanaryWatch watch({.min_analyses = 50});
  int needed = 0;
  while (!watch.Complaint() && needed < 1000) {
    const double score = 0.25 + 0.5 * DrawScore(random);
    watch.AddPair(score, Shifted(score, 0.15));
    ++needed;
  }
  EXPECT_EQ(needed, 50) << "as soon as it judges at all";
}

TEST(CanaryWatch, LetsADriftBelowTheLimitStay) {
  std::mt19937 random(3);
  CanaryWatch watch({.max_shift = 0.1});
  for (int i = 0; i < 500; ++i) {
    const double score = 0.25 + 0.5 * DrawScore(random);
    watch.AddPair(score, score + 0.08);
  }
  EXPECT_FALSE(watch.Complaint());
  EXPECT_NEAR(*watch.Shift(), 0.08, 1e-9);
}

TEST(CanaryWatch, FindsErrorsButNotThoseThatStableHasToo) {
  const auto complains = [](int every_stable, int every_canary) {
    CanaryWatch watch({.min_analyses = 50});
    for (int i = 1; i <= 200; ++i) {
      watch.AddStable({.seconds = 0.05, .failed = i % every_stable == 0});
      watch.AddCanary({.seconds = 0.05, .failed = i % every_canary == 0});
    }
    return watch.Complaint().value_or("");
  };
  EXPECT_THAT(complains(1000, 10), HasSubstr("errors: 20 of 200"));
  EXPECT_EQ(complains(1000, 50), "") << "2 % is within the limit of 5 %";
  EXPECT_EQ(complains(10, 10), "") << "something else is broken";
}

TEST(CanaryWatch, DoesNotWaitForACanaryThatFailsAlways) {
  CanaryWatch watch({.min_analyses = 50});
  for (int i = 0; i < 9; ++i) watch.AddCanary({.failed = true});
  EXPECT_FALSE(watch.Complaint());
  watch.AddCanary({.failed = true});
  EXPECT_THAT(watch.Complaint().value_or(""), HasSubstr("errors: 10 of 10"));
}

TEST(CanaryWatch, FindsASlowCanary) {
  CanaryWatch watch({.min_analyses = 50, .max_latency = 2});
  for (int i = 0; i < 49; ++i) watch.AddStable({.seconds = 0.1}), watch.AddCanary({.seconds = 0.25});
  EXPECT_FALSE(watch.Complaint()) << "too few to say";
  watch.AddStable({.seconds = 0.1});
  watch.AddCanary({.seconds = 0.25});
  EXPECT_THAT(watch.Complaint().value_or(""), HasSubstr("latency"));
}

TEST(CanaryWatch, IsNotMisledByOneSlowFile) {
  CanaryWatch watch({.min_analyses = 50});
  for (int i = 0; i < 60; ++i) {
    watch.AddStable({.seconds = 0.1});
    watch.AddCanary({.seconds = i % 10 == 0 ? 60 : 0.1});
  }
  EXPECT_FALSE(watch.Complaint());
}

TEST(CanaryWatch, ForgetsWhatIsLongAgo) {
  CanaryWatch watch({.min_analyses = 50});
  for (int i = 0; i < 40; ++i) watch.AddCanary({.seconds = 0.1, .score = 0.9});
  for (std::size_t i = 0; i < CanaryWatch::kWindow; ++i) {
    watch.AddStable({.seconds = 0.1, .score = 0.2});
    watch.AddCanary({.seconds = 0.1, .score = 0.2});
  }
  EXPECT_DOUBLE_EQ(*watch.Shift(), 0);
}

TEST(CanaryWatch, HasNoShiftWithoutScores) {
  CanaryWatch watch({});
  EXPECT_FALSE(watch.Shift());
  watch.AddCanary({.seconds = 1, .score = 0.5});
  EXPECT_FALSE(watch.Shift());
  EXPECT_FALSE(watch.Complaint());
}

}  // namespace
}  // namespace unmask
