// SPDX-License-Identifier: Apache-2.0
#include "face/quality.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "face/test_media.hpp"

namespace unmask {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

Face Frontal() {
  return {.box = kAstronautFace,
          .landmarks = Landmarks{
              .right_eye = {200, 110}, .left_eye = {240, 110}, .nose = {220, 132}, .mouth = {220, 150}}};
}

TEST(MeasureQuality, FindsNoFaultWithAGoodPortrait) {
  const FaceQuality quality = MeasureQuality(Astronaut(), Frontal());
  EXPECT_THAT(quality.codes, IsEmpty());
  EXPECT_DOUBLE_EQ(quality.size, kAstronautFace.width);
  EXPECT_NEAR(quality.yaw, 0, 1);
  EXPECT_NEAR(quality.pitch, 0, 1);
}

TEST(MeasureQuality, CallsAFaceSmallByItsShorterSide) {
  EXPECT_THAT(MeasureQuality(Astronaut(), {.box = {200, 80, 40, 90}}).codes, Contains("small"));
}

TEST(MeasureQuality, CallsABlurredFaceBlurred) {
  const double sharp = MeasureQuality(Astronaut(), Frontal()).sharpness;
  cv::Mat blurred;
  cv::GaussianBlur(Astronaut(), blurred, {}, 5);
  const FaceQuality quality = MeasureQuality(blurred, Frontal());
  EXPECT_LT(quality.sharpness, sharp / 2);
  EXPECT_THAT(quality.codes, ElementsAre("blurred"));
}

TEST(MeasureQuality, JudgesSharpnessWithoutRegardToContrast) {
  cv::Mat faint;
  Astronaut().convertTo(faint, CV_8U, 0.5, 60);
  EXPECT_NEAR(MeasureQuality(faint, Frontal()).sharpness, MeasureQuality(Astronaut(), Frontal()).sharpness,
              0.05);
}

TEST(MeasureQuality, JudgesSharpnessWithoutRegardToSize) {
  cv::Mat large;
  cv::resize(Astronaut(), large, {}, 2, 2, cv::INTER_CUBIC);
  const Box box{2 * kAstronautFace.x, 2 * kAstronautFace.y, 2 * kAstronautFace.width,
                2 * kAstronautFace.height};
  EXPECT_NEAR(MeasureQuality(large, {.box = box}).sharpness, MeasureQuality(Astronaut(), Frontal()).sharpness,
              0.05);
}

TEST(MeasureQuality, CallsDarkAndBrightFacesSo) {
  cv::Mat dark, bright;
  Astronaut().convertTo(dark, CV_8U, 0.04);
  Astronaut().convertTo(bright, CV_8U, 0.1, 230);
  EXPECT_THAT(MeasureQuality(dark, Frontal()).codes, Contains("dark"));
  EXPECT_THAT(MeasureQuality(bright, Frontal()).codes, Contains("bright"));
  EXPECT_THAT(MeasureQuality(Astronaut(), Frontal()).codes, Not(Contains("dark")));
}

TEST(MeasureQuality, TellsWhichWayAFaceLooks) {
  Face face = Frontal();
  face.landmarks->nose.x += 12;
  EXPECT_GT(MeasureQuality(Astronaut(), face).yaw, 20);
  face.landmarks->nose.x -= 24;
  EXPECT_LT(MeasureQuality(Astronaut(), face).yaw, -20);
  face = Frontal();
  face.landmarks->nose.y -= 8;
  EXPECT_GT(MeasureQuality(Astronaut(), face).pitch, 10);
}

TEST(MeasureQuality, CallsAProfileSo) {
  Face face = Frontal();
  face.landmarks = {.right_eye = {238, 110}, .left_eye = {244, 110}, .nose = {265, 134}, .mouth = {245, 150}};
  const FaceQuality quality = MeasureQuality(Astronaut(), face);
  EXPECT_GT(quality.yaw, 60);
  EXPECT_THAT(quality.codes, ElementsAre("profile"));
}

TEST(MeasureQuality, DoesNotTakeATiltedHeadForATurnedOne) {
  Face face = Frontal();
  const auto turn = [](Point& point) {  // by 30 degrees around (220, 130)
    const double x = point.x - 220;
    const double y = point.y - 130;
    point = {220 + 0.866 * x - 0.5 * y, 130 + 0.5 * x + 0.866 * y};
  };
  for (Point* point :
       {&face.landmarks->right_eye, &face.landmarks->left_eye, &face.landmarks->nose, &face.landmarks->mouth})
    turn(*point);
  EXPECT_NEAR(MeasureQuality(Astronaut(), face).yaw, 0, 1);
}

TEST(MeasureQuality, TakesBoxesBeyondThePictureAndDegenerateLandmarks) {
  EXPECT_THAT(MeasureQuality(Astronaut(), {.box = {900, 900, 50, 50}}).codes, Contains("blurred"));
  EXPECT_DOUBLE_EQ(MeasureQuality(Astronaut(), {.box = {500, 500, 60, 60}}).size, 60);
  EXPECT_THAT(MeasureQuality(cv::Mat(), Frontal()).codes, Contains("dark"));
  EXPECT_EQ(MeasureQuality(Astronaut(), {.box = kAstronautFace, .landmarks = Landmarks{}}).yaw, 0);
  EXPECT_EQ(MeasureQuality(Astronaut(), {.box = {}}).size, 0);
}

}  // namespace
}  // namespace unmask
