// SPDX-License-Identifier: Apache-2.0
#include "face/upright.hpp"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "face/crop.hpp"
#include "face/geometry.hpp"
#include "face/test_media.hpp"

namespace unmask {
namespace {

Face LeaningBy(double degrees) {
  const double sine = std::sin(degrees * std::numbers::pi / 180);
  const double cosine = std::cos(degrees * std::numbers::pi / 180);
  const auto at = [&](double x, double y) {
    return Point{100 + cosine * x - sine * y, 100 + sine * x + cosine * y};
  };
  return {.box = {70, 60, 60, 80},
          .score = 0.95,
          .landmarks = Landmarks{
              .right_eye = at(-15, -10), .left_eye = at(15, -10), .nose = at(0, 5), .mouth = at(0, 20)}};
}

TEST(Roll, IsTheAngleOfTheEyesAndTheMouth) {
  for (const double degrees : {0.0, 12.0, -35.0, 90.0, -90.0, 135.0})
    EXPECT_NEAR(RollOf(LeaningBy(degrees)), degrees, 1e-9);
  EXPECT_NEAR(std::abs(RollOf(LeaningBy(180))), 180, 1e-9);
  EXPECT_EQ(RollOf({.box = {0, 0, 10, 10}, .score = 1, .landmarks = {}}), 0);
}

class TurnUprightTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    detector_ = MakeBlazeFace({.folder = kDetectors, .threads = 1}).value().release();
  }
  static void TearDownTestSuite() { delete detector_; }

  static Face TheFaceIn(const cv::Mat& picture) {
    const auto faces = detector_->Detect(picture);
    EXPECT_EQ(faces.size(), 1u);
    return faces.empty() ? Face{} : faces[0];
  }

  static FaceDetector* detector_;
};

FaceDetector* TurnUprightTest::detector_ = nullptr;

double MeanDifference(const cv::Mat& a, const cv::Mat& b) {
  cv::Mat small_a, small_b;
  cv::resize(a, small_a, {64, 64}, 0, 0, cv::INTER_AREA);
  cv::resize(b, small_b, {64, 64}, 0, 0, cv::INTER_AREA);
  return cv::mean(cv::Mat(cv::abs(small_a - small_b)).reshape(1))[0];
}

const CropRule kRule{.side_of = CropRule::SideOf::kGeometricMean, .scale = 1, .dx = 0, .dy = 0};

TEST_F(TurnUprightTest, LeavesUprightFacesAlone) {
  const cv::Mat picture = Astronaut();
  const Face face = TheFaceIn(picture);
  EXPECT_FALSE(TurnUpright(picture, face, *detector_, Effort::kQuick));
  EXPECT_FALSE(TurnUpright(picture, face, *detector_, Effort::kThorough));
  EXPECT_FALSE(TurnUpright(picture, LeaningBy(20), *detector_, Effort::kQuick));
}

TEST_F(TurnUprightTest, GivesBackTheVeryPixelsOfAQuarterTurn) {
  const cv::Mat upright = Astronaut();
  const Face expected = TheFaceIn(upright);
  for (const auto& [turn, roll] :
       {std::pair(cv::ROTATE_90_CLOCKWISE, 90.0), {cv::ROTATE_90_COUNTERCLOCKWISE, -90.0}}) {
    cv::Mat sideways;
    cv::rotate(upright, sideways, turn);
    const auto turned = TurnUpright(sideways, TheFaceIn(sideways), *detector_, Effort::kQuick);
    ASSERT_TRUE(turned);
    EXPECT_EQ(turned->roll, roll);
    const cv::Rect seen = CropRect(turned->face.box, kRule);
    // Where that square lies in the sideways picture, and so in the upright one.
    const Box there = turned->InPicture(seen);
    const cv::Rect square(cvRound(there.x), cvRound(there.y), seen.width, seen.height);
    const cv::Rect back =
        roll > 0 ? cv::Rect(square.y, upright.rows - square.x - square.width, seen.width, seen.height)
                 : cv::Rect(upright.cols - square.y - square.height, square.x, seen.width, seen.height);
    EXPECT_EQ(MeanDifference(CropPixels(turned->picture, seen), CropPixels(upright, back)), 0) << roll;
    EXPECT_GT(Iou(ToBox(back), ToBox(CropRect(expected.box, kRule))), 0.8) << roll;
  }
}

TEST_F(TurnUprightTest, TurnsAFaceThatLeansByAnyAngle) {
  const cv::Mat upright = Astronaut();
  const cv::Mat expected = CropPixels(upright, CropRect(TheFaceIn(upright).box, kRule));
  for (const double degrees : {-50.0, 35.0, 60.0}) {
    cv::Mat leaning;
    const Point middle = Centre(kAstronautFace);
    cv::warpAffine(
        upright, leaning,
        cv::getRotationMatrix2D({static_cast<float>(middle.x), static_cast<float>(middle.y)}, -degrees, 1),
        upright.size(), cv::INTER_CUBIC, cv::BORDER_REPLICATE);
    const auto turned = TurnUpright(leaning, TheFaceIn(leaning), *detector_, Effort::kQuick);
    ASSERT_TRUE(turned);
    EXPECT_NEAR(turned->roll, degrees, 20);
    const cv::Rect seen = CropRect(turned->face.box, kRule);
    EXPECT_GT(Iou(turned->InPicture(seen), ToBox(CropRect(kAstronautFace, kRule))), 0.7) << degrees;
    EXPECT_LT(MeanDifference(CropPixels(turned->picture, seen), expected),
              0.7 * MeanDifference(CropPixels(leaning, CropRect(kAstronautFace, kRule)), expected))
        << degrees;
  }
}

TEST_F(TurnUprightTest, FindsOutWhetherAFaceIsUpsideDownWhenThereIsTime) {
  cv::Mat picture;
  cv::rotate(Astronaut(), picture, cv::ROTATE_180);
  // As a detector sees it that takes faces for upright ones.
  Face face = LeaningBy(0);
  face.score = 0.6;
  face.box = {512 - kAstronautFace.x - kAstronautFace.width, 512 - kAstronautFace.y - kAstronautFace.height,
              kAstronautFace.width, kAstronautFace.height};
  EXPECT_FALSE(TurnUpright(picture, face, *detector_, Effort::kQuick));
  const auto turned = TurnUpright(picture, face, *detector_, Effort::kThorough);
  ASSERT_TRUE(turned);
  EXPECT_EQ(turned->roll, 180);
  const cv::Rect seen = CropRect(turned->face.box, kRule);
  EXPECT_GT(Iou(turned->InPicture(seen), ToBox(CropRect(face.box, kRule))), 0.7);
}

TEST_F(TurnUprightTest, ReducesALargeFace) {
  cv::Mat large;
  cv::resize(Astronaut(), large, {}, 8, 8, cv::INTER_LINEAR);
  cv::rotate(large, large, cv::ROTATE_90_CLOCKWISE);
  const Face face = TheFaceIn(large);
  const auto turned = TurnUpright(large, face, *detector_, Effort::kThorough);
  ASSERT_TRUE(turned);
  EXPECT_EQ(turned->roll, 90);
  EXPECT_LE(turned->picture.cols, 1700) << "of a picture of 4096 pixels";
  const cv::Rect seen = CropRect(turned->face.box, kRule);
  const Box there = turned->InPicture(seen);
  const Box upright = kAstronautFace;
  const Box sideways{4096 - 8 * (upright.y + upright.height), 8 * upright.x, 8 * upright.height,
                     8 * upright.width};
  EXPECT_GT(Iou(there, ToBox(CropRect(sideways, kRule))), 0.8);
  cv::Mat expected;
  cv::rotate(CropPixels(large, cv::Rect(cvRound(there.x), cvRound(there.y), cvRound(there.width),
                                        cvRound(there.height))),
             expected, cv::ROTATE_90_COUNTERCLOCKWISE);
  EXPECT_LT(MeanDifference(CropPixels(turned->picture, seen), expected), 3);
}

TEST_F(TurnUprightTest, TakesFacesOnTheEdgeAndBoxesWithoutSize) {
  const cv::Mat picture = Astronaut();
  Face face = LeaningBy(90);
  face.box = {-30, -40, 60, 80};
  EXPECT_TRUE(TurnUpright(picture, face, *detector_, Effort::kThorough));
  face.box = {10, 10, 0, 0};
  EXPECT_TRUE(TurnUpright(picture, face, *detector_, Effort::kThorough));
  face = LeaningBy(40);
  face.box = {500, 500, 60, 80};
  EXPECT_TRUE(TurnUpright(picture, face, *detector_, Effort::kThorough));
}

}  // namespace
}  // namespace unmask
