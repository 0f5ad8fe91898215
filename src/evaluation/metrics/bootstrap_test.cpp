// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metrics/bootstrap.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace unmask {
namespace {

using Counts = std::span<const std::uint32_t>;

/// The share of the drawn files that have an even index.
Figure EvenShare(Counts counts) {
  double even = 0;
  double all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all += counts[i];
    if (i % 2 == 0) even += counts[i];
  }
  return even / all;
}

TEST(Bootstrap, DrawsAsManyFilesAsThereAre) {
  const Bootstrap bootstrap({}, 50, 100, 1);
  EXPECT_EQ(bootstrap.clusters(), 50U);
  (void)bootstrap.IntervalOf([](Counts counts) -> Figure {
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0U), 50U);
    return 0.0;
  });
}

TEST(Bootstrap, IntervalOfAShareIsAboutTheNormalOne) {
  const auto interval = Bootstrap({}, 400, 4000, 1).IntervalOf(EvenShare);
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low, 0.5 - 1.96 * 0.5 / 20, 0.006);
  EXPECT_NEAR(interval->high, 0.5 + 1.96 * 0.5 / 20, 0.006);
}

TEST(Bootstrap, DrawsClustersWhole) {
  std::vector<std::string> clusters;
  for (int i = 0; i < 40; ++i) clusters.push_back(std::to_string(i / 4));
  const Bootstrap bootstrap(clusters, clusters.size(), 200, 1);
  EXPECT_EQ(bootstrap.clusters(), 10U);
  (void)bootstrap.IntervalOf([](Counts counts) -> Figure {
    for (std::size_t i = 0; i < counts.size(); i += 4)
      EXPECT_TRUE(counts[i] == counts[i + 1] && counts[i] == counts[i + 2] && counts[i] == counts[i + 3]);
    return 0.0;
  });
}

TEST(Bootstrap, WholeClustersWidenTheInterval) {
  std::vector<std::string> clusters;
  const auto mean = [](Counts counts) -> Figure {  // files of a cluster have the same value
    double sum = 0;
    double all = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) sum += counts[i] * ((i / 10) % 2), all += counts[i];
    return sum / all;
  };
  for (int i = 0; i < 200; ++i) clusters.push_back(std::to_string(i / 10));
  const auto together = Bootstrap(clusters, 200, 1000, 1).IntervalOf(mean);
  const auto apart = Bootstrap({}, 200, 1000, 1).IntervalOf(mean);
  ASSERT_TRUE(together && apart);
  EXPECT_GT(together->high - together->low, 2 * (apart->high - apart->low));
}

TEST(Bootstrap, RepeatsWithTheSameSeedAndDiffersWithAnother) {
  const auto first = Bootstrap({}, 100, 200, 7).IntervalOf(EvenShare);
  EXPECT_EQ(first, Bootstrap({}, 100, 200, 7).IntervalOf(EvenShare));
  EXPECT_NE(first, Bootstrap({}, 100, 200, 8).IntervalOf(EvenShare));
}

TEST(Bootstrap, DrawsAgainWhereAFigureCannotBeComputed) {
  int calls = 0;
  const auto sometimes = [&](Counts) -> Figure {
    if (++calls % 5 == 0) return NoFigure("now and then");
    return 1.0;
  };
  EXPECT_TRUE(Bootstrap({}, 10, 100, 1).IntervalOf(sometimes));
  EXPECT_GE(calls, 120);
}

TEST(Bootstrap, GivesNothingWithoutRoundsFilesOrFigures) {
  EXPECT_FALSE(Bootstrap({}, 10, 0, 1).IntervalOf(EvenShare));
  EXPECT_FALSE(Bootstrap({}, 0, 10, 1).IntervalOf(EvenShare));
  EXPECT_FALSE(Bootstrap({}, 10, 10, 1).IntervalOf([](Counts) { return NoFigure("never"); }));
}

TEST(Quantile, InterpolatesBetweenNeighbours) {
  const std::vector<double> values = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(Quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(Quantile(values, 1), 4);
  EXPECT_DOUBLE_EQ(Quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Quantile(values, 0.025), 1.075);
  EXPECT_DOUBLE_EQ(Quantile(std::vector<double>{5}, 0.9), 5);
}

}  // namespace
}  // namespace unmask
