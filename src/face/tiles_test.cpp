// SPDX-License-Identifier: Apache-2.0
#include "face/tiles.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

namespace unmask {
namespace {

TEST(MakeTiles, IsOneForAPictureNoLargerThanATile) {
  EXPECT_THAT(MakeTiles({300, 200}, 400, 0.2), testing::ElementsAre(cv::Rect(0, 0, 300, 200)));
}

TEST(MakeTiles, HoldsWhateverIsSmallerThanTheOverlapWholeInOneTile) {
  const cv::Size picture(1920, 1080);
  const auto tiles = MakeTiles(picture, 700, 0.25);
  for (int y = 0; y + 175 <= picture.height; y += 13)
    for (int x = 0; x + 175 <= picture.width; x += 13) {
      const cv::Rect face(x, y, 175, 175);
      ASSERT_TRUE(
          std::any_of(tiles.begin(), tiles.end(), [&](const auto& tile) { return (tile & face) == face; }))
          << x << "," << y;
    }
}

TEST(MakeTiles, StaysWithinThePicture) {
  for (const auto& tile : MakeTiles({1001, 333}, 150, 0.2)) EXPECT_EQ(tile & cv::Rect(0, 0, 1001, 333), tile);
}

TEST(PlanTiles, LooksOnceAtSmallPicturesAndMoreCloselyAtLargerOnes) {
  EXPECT_TRUE(PlanTiles({512, 512}).empty());
  EXPECT_TRUE(PlanTiles({1, 1}).empty());
  const auto full_hd = PlanTiles({1920, 1080}).size();
  const auto ultra_hd = PlanTiles({3840, 2160}).size();
  EXPECT_GT(full_hd, 1u);
  EXPECT_GT(ultra_hd, full_hd);
}

TEST(PlanTiles, CutsAStripIntoSquares) {
  EXPECT_THAT(PlanTiles({4000, 200}), testing::Contains(cv::Rect(0, 0, 200, 200)));
  EXPECT_THAT(PlanTiles({600, 150}), testing::Contains(cv::Rect(450, 0, 150, 150)));
}

TEST(PlanTiles, IsBoundedForEveryShape) {
  for (const cv::Size size : {cv::Size(16384, 3906), cv::Size(8000, 8000), cv::Size(3906, 16384),
                              cv::Size(64000, 1), cv::Size(1, 64000), cv::Size(16384, 200)})
    EXPECT_LE(PlanTiles(size).size(), 80u) << size;
}

}  // namespace
}  // namespace unmask
