// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metrics/ranking.hpp"

#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

std::vector<LabelledScore> Scores(const std::vector<double>& authentic,
                                  const std::vector<double>& manipulated) {
  std::vector<LabelledScore> samples;
  for (const double score : authentic) samples.push_back({false, score});
  for (const double score : manipulated) samples.push_back({true, score});
  return samples;
}

Ranking Ranked(const std::vector<double>& authentic, const std::vector<double>& manipulated) {
  return Ranking(Scores(authentic, manipulated));
}

std::vector<LabelledScore> RandomScores(std::mt19937& random, std::size_t count, int distinct) {
  std::vector<LabelledScore> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const bool manipulated = random() % 3 == 0;
    samples.push_back(
        {manipulated, static_cast<double>(static_cast<int>(random() % static_cast<unsigned>(distinct))) +
                          (manipulated ? 2 : 0)});
  }
  samples.push_back({true, 1});
  samples.push_back({false, 1});
  return samples;
}

TEST(Auc, CountsPairsInTheRightOrder) {
  EXPECT_DOUBLE_EQ(*Auc(Ranked({0.1, 0.2}, {0.8, 0.9})), 1);
  EXPECT_DOUBLE_EQ(*Auc(Ranked({0.8, 0.9}, {0.1, 0.2})), 0);
  EXPECT_DOUBLE_EQ(*Auc(Ranked({0.1, 0.4}, {0.35, 0.8})), 0.75);  // scikit-learn's example
}

TEST(Auc, CountsTiesHalf) { EXPECT_DOUBLE_EQ(*Auc(Ranked({0.5, 0.5}, {0.5})), 0.5); }

TEST(Auc, IsTheMeanOverAllPairs) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    const auto samples = RandomScores(random, 60, 8);
    double sum = 0;
    double pairs = 0;
    for (const auto& a : samples)
      for (const auto& b : samples)
        if (a.manipulated && !b.manipulated) {
          sum += a.score > b.score ? 1 : a.score == b.score ? 0.5 : 0;
          pairs += 1;
        }
    EXPECT_NEAR(*Auc(Ranking(samples)), sum / pairs, 1e-12);
  }
}

TEST(Ranking, WeightsCountLikeRepeatedFiles) {
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    const auto samples = RandomScores(random, 30, 10);
    std::vector<std::uint32_t> weights;
    std::vector<LabelledScore> repeated;
    for (const LabelledScore& sample : samples) {
      weights.push_back(static_cast<std::uint32_t>(random() % 3));
      repeated.insert(repeated.end(), weights.back(), sample);
    }
    const Ranking weighted = Ranking(samples).Reweighted(weights);
    const Ranking plain(repeated);
    const auto expect_same = [](const Figure& a, const Figure& b) {
      ASSERT_EQ(a.has_value(), b.has_value());
      EXPECT_NEAR(a.value_or(0), b.value_or(0), 1e-12);
    };
    expect_same(Auc(weighted), Auc(plain));
    expect_same(AveragePrecision(weighted), AveragePrecision(plain));
    expect_same(EqualErrorRate(weighted), EqualErrorRate(plain));
    expect_same(TprAtFpr(weighted, 0.1), TprAtFpr(plain, 0.1));
    expect_same(ThresholdAtFpr(weighted, 0.1), ThresholdAtFpr(plain, 0.1));
  }
}

TEST(AveragePrecision, IsPrecisionTimesGainInRecall) {
  EXPECT_NEAR(*AveragePrecision(Ranked({0.1, 0.4}, {0.35, 0.8})), 0.8333333333,
              1e-9);  // scikit-learn's example
  EXPECT_DOUBLE_EQ(*AveragePrecision(Ranked({}, {0.3, 0.4})), 1);
}

TEST(EqualErrorRate, LiesBetweenThresholdsOnAStraightLine) {
  EXPECT_DOUBLE_EQ(*EqualErrorRate(Ranked({0.1, 0.2}, {0.8, 0.9})), 0);
  EXPECT_DOUBLE_EQ(*EqualErrorRate(Ranked({0.5}, {0.5})), 0.5);
  EXPECT_DOUBLE_EQ(*EqualErrorRate(Ranked({1, 3, 5}, {4, 6, 8})), 1.0 / 3);
}

TEST(TprAtFpr, AllowsNoMoreFalseAlarmsThanAskedFor) {
  std::vector<double> authentic;
  for (int i = 0; i < 100; ++i) authentic.push_back(i);
  EXPECT_DOUBLE_EQ(*TprAtFpr(Ranked(authentic, {97.5, 98.5, 99.5, 10}), 0.01), 0.5);
  EXPECT_DOUBLE_EQ(*TprAtFpr(Ranked(authentic, {97.5, 98.5, 99.5, 10}), 0.001), 0.25);
  EXPECT_DOUBLE_EQ(*TprAtFpr(Ranked(authentic, {97.5}), 1), 1);
}

TEST(TprAtFpr, TiesWithAForbiddenFalseAlarmAreNotFound) {
  EXPECT_DOUBLE_EQ(*TprAtFpr(Ranked({0.9, 0.1}, {0.9, 0.95}), 0.01), 0.5);
}

TEST(ThresholdAtFpr, GivesTheSharesItPromises) {
  std::mt19937 random(7);
  for (const double fpr : {0.0, 0.01, 0.1, 0.5, 1.0}) {
    const auto samples = RandomScores(random, 300, 40);
    const double threshold = *ThresholdAtFpr(Ranking(samples), fpr);
    double found = 0;
    double fakes = 0;
    double alarms = 0;
    for (const LabelledScore& sample : samples) {
      (sample.manipulated ? found : alarms) += sample.score >= threshold ? 1 : 0;
      fakes += sample.manipulated ? 1 : 0;
    }
    EXPECT_DOUBLE_EQ(found / fakes, *TprAtFpr(Ranking(samples), fpr));
    EXPECT_LE(alarms, fpr * (static_cast<double>(samples.size()) - fakes) + 1e-9);
  }
  EXPECT_EQ(*ThresholdAtFpr(Ranked({1}, {2}), 1), -std::numeric_limits<double>::infinity());
  EXPECT_DOUBLE_EQ(*ThresholdAtFpr(Ranked({1}, {2}), 0), 1.5);
  EXPECT_GT(*ThresholdAtFpr(Ranked({2}, {1}), 0), 2);
}

TEST(RocCurve, RunsFromCornerToCornerWithoutPointsWithinLines) {
  const auto curve = RocCurve(Ranked({1, 2, 3, 10}, {4, 5, 6}));
  ASSERT_EQ(curve.size(), 4U);  // (0,0) (.25,0) (.25,1) (1,1)
  EXPECT_DOUBLE_EQ(curve[1].fpr, 0.25);
  EXPECT_DOUBLE_EQ(curve[1].tpr, 0);
  EXPECT_DOUBLE_EQ(curve[2].tpr, 1);
  EXPECT_DOUBLE_EQ(curve.back().fpr, 1);
  EXPECT_DOUBLE_EQ(curve.back().tpr, 1);
}

TEST(RocCurve, HasTheAucBelowIt) {
  std::mt19937 random(11);
  for (int round = 0; round < 20; ++round) {
    const Ranking ranking(RandomScores(random, 80, 12));
    double area = 0;
    const auto curve = RocCurve(ranking);
    for (std::size_t i = 1; i < curve.size(); ++i) {
      EXPECT_GE(curve[i].fpr, curve[i - 1].fpr);
      EXPECT_GE(curve[i].tpr, curve[i - 1].tpr);
      area += (curve[i].fpr - curve[i - 1].fpr) * (curve[i].tpr + curve[i - 1].tpr) / 2;
    }
    EXPECT_NEAR(area, *Auc(ranking), 1e-12);
  }
}

TEST(RankMetrics, SayWhyTheyCannotBeComputed) {
  const Ranking only_authentic = Ranked({0.5}, {});
  const Ranking only_manipulated = Ranked({}, {0.5});
  const Ranking none = Ranked({}, {});
  EXPECT_EQ(Auc(only_authentic).error(), "no manipulated file has a score");
  EXPECT_EQ(Auc(only_manipulated).error(), "no authentic file has a score");
  EXPECT_EQ(Auc(none).error(), "no file has a score");
  EXPECT_FALSE(EqualErrorRate(only_authentic));
  EXPECT_FALSE(TprAtFpr(only_manipulated, 0.01));
  EXPECT_FALSE(ThresholdAtFpr(only_manipulated, 0.01));
  EXPECT_FALSE(AveragePrecision(only_authentic));
  EXPECT_TRUE(RocCurve(none).empty());
}

TEST(NormalDeviate, KnowsTheTables) {
  EXPECT_NEAR(NormalDeviate(0.5), 0, 1e-9);
  EXPECT_NEAR(NormalDeviate(0.975), 1.959963984540054, 1e-8);
  EXPECT_NEAR(NormalDeviate(0.001), -3.090232306167813, 1e-8);
  EXPECT_NEAR(NormalDeviate(0.99999), 4.264890793922602, 1e-8);
}

}  // namespace
}  // namespace unmask
