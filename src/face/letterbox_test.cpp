// SPDX-License-Identifier: Apache-2.0
#include "face/letterbox.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

namespace unmask {
namespace {

TEST(FitInto, KeepsTheAspectAndCentres) {
  const Letterbox letterbox = FitInto(cv::Rect(0, 0, 1920, 1080), cv::Size(192, 192));
  EXPECT_EQ(letterbox.place, cv::Rect(0, 42, 192, 108));
}

TEST(FitInto, GivesAPictureOfOnePixelAndAVeryWideOneAPlace) {
  EXPECT_EQ(FitInto(cv::Rect(0, 0, 1, 1), cv::Size(128, 128)).place, cv::Rect(0, 0, 128, 128));
  EXPECT_EQ(FitInto(cv::Rect(0, 0, 16000, 2), cv::Size(128, 128)).place.height, 1);
}

TEST(Letterbox, LeadsBackToThePicture) {
  const cv::Rect region(100, 50, 640, 360);
  const Letterbox letterbox = FitInto(region, cv::Size(192, 192));
  const Box place{static_cast<double>(letterbox.place.x), static_cast<double>(letterbox.place.y),
                  static_cast<double>(letterbox.place.width), static_cast<double>(letterbox.place.height)};
  EXPECT_EQ(letterbox.ToPicture(place), (Box{100, 50, 640, 360}));
  const Point middle = letterbox.ToPicture(Point{96, 96});
  EXPECT_NEAR(middle.x, 420, 1e-9);
  EXPECT_NEAR(middle.y, 230, 1e-9);
}

TEST(Render, IsBlackBesideTheRegion) {
  const cv::Mat white(100, 200, CV_8UC3, cv::Scalar::all(255));
  const cv::Mat input = Render(white, FitInto(cv::Rect(0, 0, 200, 100), cv::Size(64, 64)));
  EXPECT_EQ(input.at<cv::Vec3b>(0, 32), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(input.at<cv::Vec3b>(32, 32), cv::Vec3b(255, 255, 255));
  EXPECT_EQ(input.at<cv::Vec3b>(63, 32), cv::Vec3b(0, 0, 0));
}

TEST(Render, IsBlackBeyondThePicture) {
  const cv::Mat white(100, 100, CV_8UC3, cv::Scalar::all(255));
  const cv::Mat input = Render(white, FitInto(cv::Rect(-50, -50, 200, 200), cv::Size(64, 64)));
  EXPECT_EQ(cv::countNonZero(input.reshape(1)), 32 * 32 * 3);
  EXPECT_EQ(input.at<cv::Vec3b>(16, 16), cv::Vec3b(255, 255, 255));
  EXPECT_EQ(input.at<cv::Vec3b>(15, 16), cv::Vec3b(0, 0, 0));
  EXPECT_EQ(cv::countNonZero(Render(white, FitInto(cv::Rect(500, 0, 9, 9), cv::Size(64, 64))).reshape(1)), 0);
}

TEST(Render, DoesNotAlias) {
  cv::Mat stripes(1024, 1024, CV_8UC3);
  for (int x = 0; x < stripes.cols; ++x) stripes.col(x).setTo(cv::Scalar::all(x % 2 == 0 ? 0 : 255));
  const cv::Mat input = Render(stripes, FitInto(cv::Rect(0, 0, 1024, 1024), cv::Size(192, 192)));
  double least = 0;
  double most = 0;
  cv::minMaxLoc(input.reshape(1), &least, &most);
  EXPECT_GT(least, 110);
  EXPECT_LT(most, 145);
}

TEST(AsBgr, TakesGreyAlphaAndSixteenBits) {
  EXPECT_EQ(AsBgr(cv::Mat(4, 4, CV_8UC1, cv::Scalar(7))).at<cv::Vec3b>(1, 1), cv::Vec3b(7, 7, 7));
  EXPECT_EQ(AsBgr(cv::Mat(4, 4, CV_8UC4, cv::Scalar(1, 2, 3, 4))).at<cv::Vec3b>(1, 1), cv::Vec3b(1, 2, 3));
  EXPECT_EQ(AsBgr(cv::Mat(4, 4, CV_16UC3, cv::Scalar::all(65535))).at<cv::Vec3b>(1, 1),
            cv::Vec3b(255, 255, 255));
}

TEST(AsBgr, LooksAtAPictureWithoutCopying) {
  const cv::Mat picture(4, 4, CV_8UC3);
  EXPECT_EQ(AsBgr(picture).data, picture.data);
}

TEST(AsBgr, IsEmptyForWhatIsNoPicture) {
  EXPECT_TRUE(AsBgr(cv::Mat()).empty());
  EXPECT_TRUE(AsBgr(cv::Mat(4, 4, CV_32FC3)).empty());
  EXPECT_TRUE(AsBgr(cv::Mat(4, 4, CV_8UC2)).empty());
}

}  // namespace
}  // namespace unmask
