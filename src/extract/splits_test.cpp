// SPDX-License-Identifier: Apache-2.0
#include "extract/splits.hpp"

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::HasSubstr;

TEST(Splits, AreReadInTheirOrder) {
  const auto splits = ParseSplits("train=0.9,val=0.1").value();
  ASSERT_EQ(splits.size(), 2U);
  EXPECT_EQ(splits[0].name, "train");
  EXPECT_EQ(splits[0].share, 0.9);
  EXPECT_EQ(splits[1].name, "val");
}

TEST(Splits, MayBeOneAloneAndThreeThirds) {
  EXPECT_TRUE(ParseSplits("all=1"));
  EXPECT_TRUE(ParseSplits("a=0.333333,b=0.333333,c=0.333334"));
}

TEST(Splits, SaysWhatIsWrong) {
  for (const char* text :
       {"", "train", "train=", "=1", "train=1,", "train=0,val=1", "train=-0.1,val=1.1", "train=1.5",
        "train=nan", "train=1x", "a/b=1", "../x=1", "-a=1", "a b=1", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1"})
    EXPECT_THAT(ParseSplits(text).error().message, HasSubstr("expected NAME=SHARE")) << text;
  EXPECT_THAT(ParseSplits("train=0.8,val=0.1").error().message, HasSubstr("add up to 1, found 0.9"));
  EXPECT_THAT(ParseSplits("a=0.5,a=0.5").error().message, HasSubstr("twice"));
  for (const char* text : {"real=1", "fake=1", "unlabelled=1"})
    EXPECT_THAT(ParseSplits(text).error().message, HasSubstr("label")) << text;
}

TEST(Splits, GiveAGroupTheSameSplitEveryTime) {
  const auto splits = ParseSplits("train=0.9,val=0.1").value();
  for (const char* group : {"", "a", "people/ann"})
    EXPECT_EQ(AssignSplit(splits, 7, group), AssignSplit(splits, 7, group));
}

TEST(Splits, AreAPromiseAcrossReleases) {
  const auto splits = ParseSplits("a=0.25,b=0.25,c=0.25,d=0.25").value();
  std::string found;
  for (int i = 0; i < 12; ++i) found += AssignSplit(splits, 0, fmt::format("group {}", i));
  EXPECT_EQ(found, "bccacbbaddbd");
}

TEST(Splits, MeetTheirSharesOnAverage) {
  const auto splits = ParseSplits("train=0.7,val=0.2,test=0.1").value();
  std::map<std::string, int> counts;
  for (int i = 0; i < 10'000; ++i) ++counts[AssignSplit(splits, 1, fmt::format("group {}", i))];
  EXPECT_NEAR(counts["train"], 7000, 150);
  EXPECT_NEAR(counts["val"], 2000, 150);
  EXPECT_NEAR(counts["test"], 1000, 150);
}

TEST(Splits, AnotherSeedDividesOtherwise) {
  const auto splits = ParseSplits("a=0.5,b=0.5").value();
  int moved = 0;
  for (int i = 0; i < 100; ++i)
    moved += AssignSplit(splits, 0, fmt::format("{}", i)) != AssignSplit(splits, 1, fmt::format("{}", i));
  EXPECT_NEAR(moved, 50, 25);
}

}  // namespace
}  // namespace unmask
