// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metrics/probability.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace unmask {
namespace {

const std::vector<LabelledScore> kSamples = {{false, 0.1}, {false, 0.4}, {true, 0.35}, {true, 0.8}};

TEST(LogLoss, IsTheMeanNegativeLogLikelihood) {
  const double expected = -(std::log(0.9) + std::log(0.6) + std::log(0.35) + std::log(0.8)) / 4;
  EXPECT_DOUBLE_EQ(*LogLoss(kSamples), expected);
}

TEST(LogLoss, StaysFiniteForAWrongCertainty) {
  const std::vector<LabelledScore> wrong = {{true, 0}, {false, 1}};
  EXPECT_NEAR(*LogLoss(wrong), -std::log(1e-12), 1e-3);
}

TEST(BrierScore, IsTheMeanSquaredError) {
  EXPECT_DOUBLE_EQ(*BrierScore(kSamples), (0.01 + 0.16 + 0.65 * 0.65 + 0.04) / 4);
}

TEST(ReliabilityDiagram, PutsEdgesIntoTheUpperBinAndOneIntoTheLast) {
  const std::vector<LabelledScore> samples = {{false, 0}, {true, 0.1}, {true, 1}};
  const auto bins = ReliabilityDiagram(samples, 10);
  ASSERT_EQ(bins.size(), 10U);
  EXPECT_EQ(bins[0].count, 1);
  EXPECT_EQ(bins[1].count, 1);
  EXPECT_EQ(bins[9].count, 1);
  EXPECT_DOUBLE_EQ(bins[9].share_manipulated, 1);
  EXPECT_EQ(bins[5].count, 0);
}

TEST(ExpectedCalibrationError, WeighsGapsByTheFilesOfTheBin) {
  // Bin 0.1..0.2: one file, mean 0.1, none fake. Bin 0.3..0.4: 0.35, fake. 0.4..0.5: 0.4, real. 0.8..0.9:
  // 0.8, fake.
  EXPECT_NEAR(*ExpectedCalibrationError(kSamples), (0.1 + 0.65 + 0.4 + 0.2) / 4, 1e-12);
  EXPECT_NEAR(*ExpectedCalibrationError(kSamples, 1), 0.5 - 0.4125, 1e-12);
}

TEST(ProbabilityMetrics, WeightsCountLikeRepeatedFiles) {
  const std::vector<std::uint32_t> weights = {2, 0, 1, 3};
  std::vector<LabelledScore> repeated;
  for (std::size_t i = 0; i < 4; ++i) repeated.insert(repeated.end(), weights[i], kSamples[i]);
  EXPECT_NEAR(*LogLoss(kSamples, weights), *LogLoss(repeated), 1e-12);
  EXPECT_NEAR(*BrierScore(kSamples, weights), *BrierScore(repeated), 1e-12);
  EXPECT_NEAR(*ExpectedCalibrationError(kSamples, 10, weights), *ExpectedCalibrationError(repeated), 1e-12);
}

TEST(ProbabilityMetrics, SayWhyTheyCannotBeComputed) {
  const std::vector<LabelledScore> logits = {{false, -3}, {true, 4}};
  EXPECT_NE(LogLoss(logits).error().find("no probabilities"), std::string::npos);
  EXPECT_FALSE(BrierScore(logits));
  EXPECT_FALSE(ExpectedCalibrationError(logits));
  EXPECT_TRUE(ReliabilityDiagram(logits).empty());
  const std::vector<LabelledScore> nan = {{true, std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_FALSE(BrierScore(nan));
  EXPECT_EQ(BrierScore({}).error(), "no file has a score");
  EXPECT_FALSE(BrierScore(kSamples, std::vector<std::uint32_t>{0, 0, 0, 0}));
  EXPECT_TRUE(ReliabilityDiagram(kSamples, 0).empty());
}

}  // namespace
}  // namespace unmask
