// SPDX-License-Identifier: Apache-2.0
#include "face/pattern.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "face/quality.hpp"
#include "face/test_media.hpp"

namespace unmask {
namespace {

constexpr double kPatterned = QualityLimits{}.max_pattern;

cv::Mat Portrait(double scale) {
  cv::Mat large;
  cv::resize(Astronaut(), large, {}, scale, scale, cv::INTER_CUBIC);
  return large;
}

/// Dots on a grid that stands at 45 degrees: where the picture is darker they are larger.
cv::Mat Printed(const cv::Mat& picture, double pitch) {
  cv::Mat printed = picture.clone();
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x) {
      const double u = (x + y) / std::sqrt(2) * 2 * CV_PI / pitch;
      const double v = (x - y) / std::sqrt(2) * 2 * CV_PI / pitch;
      const double limit = 255 * ((std::cos(u) + std::cos(v)) / 4 + 0.5);
      for (int c = 0; c < 3; ++c)
        printed.at<cv::Vec3b>(y, x)[c] = picture.at<cv::Vec3b>(y, x)[c] > limit ? 245 : 15;
    }
  return printed;
}

cv::Mat FaceOf(const cv::Mat& picture, double scale) {
  return picture(
      cv::Rect(cvRound(181 * scale), cvRound(54 * scale), cvRound(92 * scale), cvRound(124 * scale)));
}

TEST(PatternStrength, IsTheAmplitudeOfAWave) {
  cv::Mat wave(200, 200, CV_8UC3);
  for (int y = 0; y < wave.rows; ++y)
    for (int x = 0; x < wave.cols; ++x)
      wave.at<cv::Vec3b>(y, x) =
          cv::Vec3b::all(cv::saturate_cast<uchar>(128 + 20 * std::sin(2 * CV_PI * x / 5)));
  EXPECT_NEAR(PatternStrength(wave), 20, 1);
}

TEST(PatternStrength, SeesTheDotsOfAPrintedFace) {
  for (const double pitch : {3.5, 5.0, 8.0})
    EXPECT_GT(PatternStrength(FaceOf(Printed(Portrait(2), pitch), 2)), kPatterned) << pitch;
}

TEST(PatternStrength, SeesNoneInAPhotograph) {
  for (const double scale : {0.7, 1.0, 2.0, 4.0})
    EXPECT_LT(PatternStrength(FaceOf(Portrait(scale), scale)), kPatterned / 2) << scale;
}

TEST(PatternStrength, TakesPicturesWithoutContent) {
  EXPECT_EQ(PatternStrength({}), 0);
  EXPECT_EQ(PatternStrength(cv::Mat::zeros(20, 300, CV_8UC3)), 0);
  EXPECT_EQ(PatternStrength(cv::Mat::zeros(100, 100, CV_8UC3)), 0);
}

TEST(MeasureQuality, CallsAPrintedFacePatterned) {
  const Face face{.box = {362, 108, 185, 249}, .score = 1, .landmarks = {}};
  EXPECT_THAT(MeasureQuality(Printed(Portrait(2), 5), face).codes, testing::Contains("patterned"));
  EXPECT_THAT(MeasureQuality(Portrait(2), face).codes, testing::IsEmpty());
}

}  // namespace
}  // namespace unmask
