// SPDX-License-Identifier: Apache-2.0
#include "extract/names.hpp"

#include <gtest/gtest.h>

namespace unmask {
namespace {

constexpr auto kSha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(Names, LabelIsTheNearestFolderOfThatName) {
  EXPECT_EQ(LabelOfPath("videos/real/ann/1.mp4"), "real");
  EXPECT_EQ(LabelOfPath("fake/1.mp4"), "fake");
  EXPECT_EQ(LabelOfPath("real/fake/1.mp4"), "fake");
  EXPECT_EQ(LabelOfPath("./fake//real/../real/1.mp4"), "real");
}

TEST(Names, LabelIsEmptyWithoutSuchAFolder) {
  EXPECT_EQ(LabelOfPath("videos/1.mp4"), "");
  EXPECT_EQ(LabelOfPath("videos/real"), "") << "the file itself is called so";
  EXPECT_EQ(LabelOfPath("really/Fake/1.mp4"), "");
  EXPECT_EQ(LabelOfPath(""), "");
}

TEST(Names, GroupBySourceIsTheContent) {
  EXPECT_EQ(GroupOf(GroupBy::kSource, "a/1.mp4", kSha256), "0123456789abcdef");
  EXPECT_EQ(GroupOf(GroupBy::kSource, "b/2.mp4", kSha256), "0123456789abcdef");
}

TEST(Names, GroupByFolderJoinsTheLabelsOfOnePerson) {
  EXPECT_EQ(GroupOf(GroupBy::kFolder, "set/real/ann/1.mp4", kSha256), "set/ann");
  EXPECT_EQ(GroupOf(GroupBy::kFolder, "./set/fake/ann/2.mp4", kSha256), "set/ann");
  EXPECT_EQ(GroupOf(GroupBy::kFolder, "set/ann/real/1.mp4", kSha256), "set/ann");
  EXPECT_EQ(GroupOf(GroupBy::kFolder, "1.mp4", kSha256), ".");
  EXPECT_EQ(GroupOf(GroupBy::kFolder, "/media/1.mp4", kSha256), "/media");
}

TEST(Names, GroupByNameJoinsARealAndItsFake) {
  EXPECT_EQ(GroupOf(GroupBy::kName, "set/real/012.mp4", kSha256), "set/012");
  EXPECT_EQ(GroupOf(GroupBy::kName, "set/fake/012.avi", kSha256), "set/012");
  EXPECT_NE(GroupOf(GroupBy::kName, "other/fake/012.avi", kSha256), "set/012");
}

TEST(Names, KindsOfGroupsHaveNames) {
  EXPECT_EQ(GroupByName(GroupBy::kSource), "source");
  EXPECT_EQ(GroupByName(GroupBy::kFolder), "folder");
  EXPECT_EQ(GroupByName(GroupBy::kName), "name");
}

TEST(Names, FaceHasAnIdThatSortsByTime) {
  EXPECT_EQ(FaceId(kSha256, 1, 135), "0123456789abcdef-t01-f000135");
  EXPECT_LT(FaceId(kSha256, 1, 9), FaceId(kSha256, 1, 10));
  EXPECT_EQ(FaceId(kSha256, 123, 12'345'678), "0123456789abcdef-t123-f12345678");
}

TEST(Names, PathSaysSplitAndLabel) {
  EXPECT_EQ(FacePath("val", "fake", "id", "jpg"), "val/fake/id.jpg");
  EXPECT_EQ(FacePath("val", "", "id", "png"), "val/unlabelled/id.png");
}

}  // namespace
}  // namespace unmask
