// SPDX-License-Identifier: Apache-2.0
#include "compat/score_mapping.hpp"

#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

TEST(ScoreRules, LabelTiesAsTheOriginalsDo) {
  EXPECT_FALSE(IsFake(0.5f, kMicroserviceRule));
  EXPECT_TRUE(IsFake(0.50000006f, kMicroserviceRule));
  EXPECT_TRUE(IsFake(0.7f, kWebUploadRule));
  EXPECT_FALSE(IsFake(0.70000005f, kWebUploadRule));
  EXPECT_TRUE(IsFake(0.5f, kMesonetRule));
  EXPECT_FALSE(IsFake(0.50000006f, kMesonetRule));
  EXPECT_TRUE(IsFake(0.25f, PredictRule(0.25)));
  EXPECT_FALSE(IsFake(0.24f, PredictRule(0.25)));
}

TEST(ToServiceScore, PutsOurThresholdOnTheServices) {
  constexpr double kOurs = 0.92;
  EXPECT_NEAR(ToServiceScore(kOurs, kOurs, kMicroserviceRule), 0.5, 1e-6);
  EXPECT_NEAR(ToServiceScore(kOurs, kOurs, kWebUploadRule), 0.7, 1e-6);
  EXPECT_NEAR(ToServiceScore(kOurs, kOurs, kMesonetRule), 0.5, 1e-6);
  EXPECT_NEAR(ToServiceScore(kOurs, kOurs, PredictRule(0.3)), 0.3, 1e-6);
}

TEST(ToServiceScore, LabelsFakeExactlyWhereOursIsManipulated) {
  for (const auto& rule :
       {kMicroserviceRule, kWebUploadRule, kMesonetRule, PredictRule(0.3), PredictRule(0.8)})
    for (const double ours : {0.05, 0.5, 0.7, 0.92, 0.999}) {
      for (int i = 0; i <= 1000; ++i) {
        const double score = i / 1000.0;
        EXPECT_EQ(IsFake(ToServiceScore(score, ours, rule), rule), score >= ours) << score << " " << ours;
      }
      for (const double near : {ours - 1e-12, ours, ours + 1e-12})
        EXPECT_EQ(IsFake(ToServiceScore(near, ours, rule), rule), near >= ours);
    }
}

TEST(ToServiceScore, KeepsTheOrderAndTheEnds) {
  float before = -1;
  for (int i = 0; i <= 1000; ++i) {
    const float now = ToServiceScore(i / 1000.0, 0.92, kMicroserviceRule);
    EXPECT_GE(now, before);
    before = now;
  }
  EXPECT_EQ(ToServiceScore(0, 0.92, kMicroserviceRule), 0.0f);
  EXPECT_EQ(ToServiceScore(1, 0.92, kMicroserviceRule), 1.0f);
  EXPECT_EQ(ToServiceScore(0, 0.92, kWebUploadRule), 1.0f);
  EXPECT_EQ(ToServiceScore(1, 0.92, kWebUploadRule), 0.0f);
}

TEST(ToServiceScore, StandsThresholdsAtTheEnds) {
  EXPECT_TRUE(IsFake(ToServiceScore(0.5, 0.2, PredictRule(0)), PredictRule(0)));
  EXPECT_FALSE(IsFake(ToServiceScore(0.5, 0.9, PredictRule(1)), PredictRule(1)));
}

TEST(InServiceDirection, TurnsOnlyTheDirection) {
  EXPECT_EQ(InServiceDirection(0.25, kMicroserviceRule), 0.25f);
  EXPECT_EQ(InServiceDirection(0.25, kWebUploadRule), 0.75f);
}

}  // namespace
}  // namespace unmask::compat
