// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metrics/decisions.hpp"

#include <gtest/gtest.h>

namespace unmask {
namespace {

const std::vector<LabelledScore> kSamples = {
    {false, 0.1}, {false, 0.6}, {true, 0.6}, {true, 0.9}, {true, 0.2}};

TEST(Confusion, CallsFilesAtTheThresholdManipulated) {
  EXPECT_EQ(Confusion(kSamples, 0.6), (ConfusionMatrix{2, 1, 1, 1}));
  EXPECT_EQ(Confusion(kSamples, 0.61), (ConfusionMatrix{1, 2, 0, 2}));
  EXPECT_EQ(Confusion({}, 0.5), ConfusionMatrix{});
}

TEST(WilsonInterval, KnowsTheTables) {
  const Interval interval = WilsonInterval(7, 792);  // statsmodels: 0.004288, 0.018131
  EXPECT_NEAR(interval.low, 0.004288, 1e-5);
  EXPECT_NEAR(interval.high, 0.018131, 1e-5);
}

TEST(WilsonInterval, HasAWidthAtTheEnds) {
  EXPECT_EQ(WilsonInterval(0, 100).low, 0);
  EXPECT_NEAR(WilsonInterval(0, 100).high, 0.03699, 1e-4);
  EXPECT_EQ(WilsonInterval(100, 100).high, 1);
  EXPECT_NEAR(WilsonInterval(100, 100).low, 1 - 0.03699, 1e-4);
}

TEST(RiskCoverage, AnswersTheSurestFirstAndTiesTogether) {
  const auto curve = RiskCoverage(kSamples);  // confidences 0.9 0.9 0.8! 0.6! 0.6
  ASSERT_EQ(curve.size(), 3U);
  EXPECT_DOUBLE_EQ(curve[0].coverage, 0.4);
  EXPECT_DOUBLE_EQ(curve[0].risk, 0);
  EXPECT_DOUBLE_EQ(curve[1].coverage, 0.6);
  EXPECT_DOUBLE_EQ(curve[1].risk, 1.0 / 3);
  EXPECT_DOUBLE_EQ(curve[2].coverage, 1);
  EXPECT_DOUBLE_EQ(curve[2].risk, 0.4);
  EXPECT_NEAR(*AreaUnderRiskCoverage(kSamples), 0.2 / 3 + 0.4 * 0.4, 1e-12);
}

TEST(RiskCoverage, NeedsProbabilities) {
  const std::vector<LabelledScore> logits = {{true, 3}};
  EXPECT_TRUE(RiskCoverage(logits).empty());
  EXPECT_FALSE(AreaUnderRiskCoverage(logits));
  EXPECT_FALSE(AreaUnderRiskCoverage({}));
}

TEST(ScoreHistogram, CountsEveryFileOnce) {
  const std::vector<LabelledScore> samples = {{false, -5}, {false, 0}, {true, 0.5}, {true, 1}, {true, 7}};
  const auto bins = ScoreHistogram(samples, 4);
  ASSERT_EQ(bins.size(), 4U);
  EXPECT_EQ(bins[0].authentic, 2U);
  EXPECT_EQ(bins[2].manipulated, 1U);
  EXPECT_EQ(bins[3].manipulated, 2U);
  EXPECT_DOUBLE_EQ(bins[3].high, 1);
  EXPECT_TRUE(ScoreHistogram(samples, 0).empty());
  EXPECT_TRUE(ScoreHistogram(samples, 4, 1, 1).empty());
}

}  // namespace
}  // namespace unmask
