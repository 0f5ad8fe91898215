// SPDX-License-Identifier: Apache-2.0
#include "face/crop.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

namespace unmask {
namespace {

/// Blue is the column and green the row, so that a pixel says where it comes from.
cv::Mat Coordinates(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      picture.at<cv::Vec3b>(y, x) = {static_cast<uchar>(x), static_cast<uchar>(y), 0};
  return picture;
}

TEST(CropRect, IsASquareAroundTheMovedCentre) {
  const CropRule rule{.side_of = CropRule::SideOf::kGeometricMean, .scale = 0.97, .dx = 0, .dy = 0.066};
  // sqrt(80 * 125) = 100, so the side is 97; the centre is (100, 100 + 0.066 * 125 = 108.25).
  EXPECT_EQ(CropRect({60, 37.5, 80, 125}, rule), cv::Rect(52, 60, 97, 97));
}

TEST(CropRect, TakesTheSideThatTheRuleNames) {
  const Box box{0, 0, 40, 90};
  EXPECT_EQ(CropRect(box, {.side_of = CropRule::SideOf::kWidth}).width, 40);
  EXPECT_EQ(CropRect(box, {.side_of = CropRule::SideOf::kHeight}).width, 90);
  EXPECT_EQ(CropRect(box, {.side_of = CropRule::SideOf::kLonger}).width, 90);
  EXPECT_EQ(CropRect(box, {.side_of = CropRule::SideOf::kGeometricMean}).width, 60);
}

TEST(CropRect, RoundsHalvesUpwardsOnBothSidesOfZero) {
  EXPECT_EQ(CropRect({0.5, -0.5, 10, 10}, {}), cv::Rect(1, 0, 10, 10));
  EXPECT_EQ(CropRect({0, 0, 10.5, 10.5}, {}).width, 11);
}

TEST(CropRect, IsNeverEmptyNorEndless) {
  EXPECT_EQ(CropRect({5, 5, 0, 0}, {}).size(), cv::Size(1, 1));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(CropRect({nan, nan, nan, nan}, {}).size(), cv::Size(1, 1));
  EXPECT_GT(CropRect({1e300, 0, 10, 10}, {}).x, 0);
}

TEST(CropPixels, IsAViewWithinThePicture) {
  const cv::Mat picture = Coordinates(50, 40);
  const cv::Mat crop = CropPixels(picture, cv::Rect(10, 5, 20, 20));
  EXPECT_EQ(crop.data, picture.ptr(5, 10));
  EXPECT_EQ(crop.size(), cv::Size(20, 20));
}

TEST(CropPixels, RepeatsTheEdgeBeyondIt) {
  const cv::Mat crop = CropPixels(Coordinates(50, 40), cv::Rect(-10, 30, 20, 20));
  ASSERT_EQ(crop.size(), cv::Size(20, 20));
  EXPECT_EQ(crop.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 30, 0));
  EXPECT_EQ(crop.at<cv::Vec3b>(5, 15), cv::Vec3b(5, 35, 0));
  EXPECT_EQ(crop.at<cv::Vec3b>(19, 19), cv::Vec3b(9, 39, 0));
}

TEST(CropPixels, RepeatsTheNearestPixelsWhenItLiesWhollyOutside) {
  const cv::Mat crop = CropPixels(Coordinates(50, 40), cv::Rect(60, 10, 8, 8));
  ASSERT_EQ(crop.size(), cv::Size(8, 8));
  EXPECT_EQ(crop.at<cv::Vec3b>(0, 0), cv::Vec3b(49, 10, 0));
  EXPECT_EQ(crop.at<cv::Vec3b>(7, 7), cv::Vec3b(49, 17, 0));
  EXPECT_EQ(CropPixels(Coordinates(50, 40), cv::Rect(-30, -30, 8, 8)).at<cv::Vec3b>(4, 4),
            cv::Vec3b(0, 0, 0));
}

TEST(CropPixels, LooksBeyondAViewNeither) {
  const cv::Mat view = Coordinates(50, 40)(cv::Rect(10, 10, 20, 20));
  EXPECT_EQ(CropPixels(view, cv::Rect(-5, 0, 10, 10)).at<cv::Vec3b>(0, 0), cv::Vec3b(10, 10, 0));
}

TEST(CropPixels, OfNothingIsEmpty) {
  EXPECT_TRUE(CropPixels(cv::Mat(), cv::Rect(0, 0, 10, 10)).empty());
  EXPECT_TRUE(CropPixels(Coordinates(5, 5), cv::Rect()).empty());
}

}  // namespace
}  // namespace unmask
