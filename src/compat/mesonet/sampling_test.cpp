// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/sampling.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

TEST(MesonetFrames, TakesEveryFrameOfAShortClip) {
  EXPECT_THAT(MesonetFrames(0), testing::IsEmpty());
  EXPECT_THAT(MesonetFrames(-1), testing::IsEmpty());
  EXPECT_THAT(MesonetFrames(1), testing::ElementsAre(0));
  EXPECT_EQ(MesonetFrames(40).size(), 40U);
  EXPECT_EQ(MesonetFrames(40).back(), 39);
}

TEST(MesonetFrames, Takes39OfEveryLongerClip) {
  for (std::int64_t total = 41; total <= 20000; ++total) {
    const auto frames = MesonetFrames(total);
    ASSERT_EQ(frames.size(), 39U) << total;
    ASSERT_TRUE(std::is_sorted(frames.begin(), frames.end(), std::less_equal<>())) << total;
    ASSERT_LT(frames.back(), total) << total;
  }
}

TEST(MesonetFrames, StepsAsTheOriginalDoes) {
  const auto of100 = MesonetFrames(100);
  EXPECT_THAT(std::vector(of100.begin(), of100.begin() + 3), testing::ElementsAre(0, 2, 4));
  EXPECT_EQ(of100[13], 33);
  EXPECT_EQ(of100[26], 66);
  const auto of300 = MesonetFrames(300);
  EXPECT_EQ(of300[1], 7);
  EXPECT_EQ(of300.back(), 284);
}

}  // namespace
}  // namespace unmask::compat
