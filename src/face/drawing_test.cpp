// SPDX-License-Identifier: Apache-2.0
#include "face/drawing.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "face/test_media.hpp"

namespace unmask {
namespace {

constexpr double kDrawn = 0.5;

/// A cartoon: even colours, black outlines.
cv::Mat Cartoon(int side) {
  const cv::Scalar skin(170, 200, 245), black(0, 0, 0), white(255, 255, 255), red(60, 60, 200);
  cv::Mat picture(400, 400, CV_8UC3, cv::Scalar(230, 200, 150));
  const auto shape = [&](cv::Point centre, cv::Size axes, const cv::Scalar& colour) {
    cv::ellipse(picture, centre, axes, 0, 0, 360, colour, cv::FILLED, cv::LINE_AA);
    cv::ellipse(picture, centre, axes, 0, 0, 360, black, 5, cv::LINE_AA);
  };
  shape({200, 210}, {150, 180}, skin);
  for (const int x : {140, 260}) {
    shape({x, 170}, {32, 40}, white);
    shape({x + 8, 175}, {10, 14}, black);
  }
  cv::ellipse(picture, {200, 220}, {22, 30}, 0, 0, 180, black, 5, cv::LINE_AA);
  shape({200, 300}, {60, 22}, red);
  cv::resize(picture, picture, {side, side}, 0, 0, cv::INTER_AREA);
  return picture;
}

cv::Mat AstronautsFace() { return Astronaut()({175, 79, 98, 98}); }

TEST(DrawingLikeness, KnowsACartoonAtAnySize) {
  for (const int side : {64, 96, 150, 400}) EXPECT_GT(DrawingLikeness(Cartoon(side)), kDrawn) << side;
}

TEST(DrawingLikeness, TakesAPhotographForOne) {
  EXPECT_LT(DrawingLikeness(AstronautsFace()), kDrawn / 2);
  cv::Mat large, soft;
  cv::resize(AstronautsFace(), large, {}, 3, 3, cv::INTER_CUBIC);
  EXPECT_LT(DrawingLikeness(large), kDrawn);
  cv::bilateralFilter(AstronautsFace(), soft, 7, 40, 6);
  EXPECT_LT(DrawingLikeness(soft), kDrawn);
}

TEST(DrawingLikeness, TakesAPhotographForOneInBlackAndWhite) {
  for (const double saturation : {0.0, 0.1, 0.3}) {
    cv::Mat grey, pale;
    cv::cvtColor(AstronautsFace(), grey, cv::COLOR_BGR2GRAY);
    cv::cvtColor(grey, grey, cv::COLOR_GRAY2BGR);
    cv::addWeighted(AstronautsFace(), saturation, grey, 1 - saturation, 0, pale);
    EXPECT_LT(DrawingLikeness(pale), kDrawn / 2) << saturation;
  }
  cv::Mat cartoon;
  cv::cvtColor(Cartoon(150), cartoon, cv::COLOR_BGR2GRAY);
  cv::cvtColor(cartoon, cartoon, cv::COLOR_GRAY2BGR);
  EXPECT_GT(DrawingLikeness(cartoon), kDrawn);
}

TEST(DrawingLikeness, TakesPicturesWithoutContent) {
  EXPECT_EQ(DrawingLikeness({}), 0);
  EXPECT_EQ(DrawingLikeness(cv::Mat::zeros(3, 200, CV_8UC3)), 0);
  const double even = DrawingLikeness(cv::Mat::zeros(100, 100, CV_8UC3));
  EXPECT_GE(even, 0);
  EXPECT_LE(even, 1);
}

// The weights were fitted on what training/unmask_training/drawing.py computes; its test has these numbers,
// too.
TEST(MeasureDrawingSigns, AgreesWithTheCodeThatFittedTheWeights) {
  const auto found = MeasureDrawingSigns(AstronautsFace()).values();
  const std::array<double, 6> expected = {-0.5085, -0.3449, -0.4503, 0.2929, 1.1278, -2.1567};
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 0.03) << i;
}

}  // namespace
}  // namespace unmask
