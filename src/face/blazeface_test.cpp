// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "face/blazeface_network.hpp"
#include "face/geometry.hpp"
#include "face/test_media.hpp"

namespace unmask {
namespace {

using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
namespace fs = std::filesystem;

class BlazeFaceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    detector_ = MakeBlazeFace({.folder = kDetectors, .threads = 1}).value().release();
  }
  static void TearDownTestSuite() { delete detector_; }

  static FaceDetector* detector_;
};

FaceDetector* BlazeFaceTest::detector_ = nullptr;

TEST_F(BlazeFaceTest, FindsTheOneFaceOfAPortraitWithItsLandmarks) {
  const auto faces = detector_->Detect(Astronaut());
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_GT(Iou(faces[0].box, kAstronautFace), 0.75);
  EXPECT_GT(faces[0].score, 0.8);
  ASSERT_TRUE(faces[0].landmarks);
  EXPECT_LT(faces[0].landmarks->right_eye.x, faces[0].landmarks->left_eye.x);
  EXPECT_GT(faces[0].landmarks->mouth.y, faces[0].landmarks->nose.y);
  EXPECT_GT(faces[0].landmarks->nose.y, faces[0].landmarks->left_eye.y);
}

TEST_F(BlazeFaceTest, GivesTheSameFacesEachTime) {
  const auto first = detector_->Detect(Astronaut());
  const auto second = detector_->Detect(Astronaut());
  ASSERT_EQ(first.size(), second.size());
  EXPECT_EQ(first[0].box, second[0].box);
  EXPECT_EQ(first[0].score, second[0].score);
}

TEST_F(BlazeFaceTest, FindsASmallFaceInALargePictureOnlyWhenItLooksThoroughly) {
  Box face;
  const cv::Mat picture = FaceInAPicture({1920, 1080}, 70, {1500, 700}, &face);
  EXPECT_THAT(detector_->Detect(picture, Effort::kQuick), IsEmpty());
  const auto faces = detector_->Detect(picture, Effort::kThorough);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_GT(Iou(faces[0].box, face), 0.6);
}

TEST_F(BlazeFaceTest, FindsASmallFaceNearWhereItIsExpected) {
  Box face;
  const cv::Mat picture = FaceInAPicture({1920, 1080}, 70, {1500, 700}, &face);
  const auto found = detector_->DetectNear(picture, {1490, 710, 55, 75});
  ASSERT_TRUE(found);
  EXPECT_GT(Iou(found->box, face), 0.6);
  EXPECT_FALSE(detector_->DetectNear(picture, {300, 300, 60, 70}));
}

TEST_F(BlazeFaceTest, FindsAFaceOnTheBorderOfTwoTilesOnce) {
  for (const int x : {540, 575, 610, 660, 720, 760}) {
    Box face;
    const cv::Mat picture = FaceInAPicture({1920, 1080}, 110, {x, 420}, &face);
    const auto faces = detector_->Detect(picture);
    ASSERT_THAT(faces, SizeIs(1)) << x;
    EXPECT_GT(Iou(faces[0].box, face), 0.6) << x;
  }
}

// Enlarged twelve times, letters on the mission badge look like a face to one of the two networks.
TEST_F(BlazeFaceTest, AsksTheOtherNetworkAboutAWeakFace) {
  cv::Mat large;
  cv::resize(Astronaut(), large, {6000, 6000}, 0, 0, cv::INTER_CUBIC);
  const auto full_range =
      BlazeFaceNetwork::Load(kDetectors, BlazeFaceNetwork::FullRange(), {.threads = 1}).value();
  const cv::Rect badge(1500, 4450, 340, 340);
  ASSERT_THAT(full_range->Find(large, badge, 0.5).value(), Not(IsEmpty()));
  EXPECT_THAT(detector_->Detect(large), SizeIs(1));
}

TEST_F(BlazeFaceTest, KeepsAWeakFaceThatBothNetworksSee) {
  Box face;
  cv::Mat picture = FaceInAPicture({640, 480}, 90, {300, 200}, &face);
  picture.rowRange(250, 300).setTo(cv::Scalar(90, 100, 150));  // mouth and chin are hidden
  const auto faces = detector_->Detect(picture);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_LT(faces[0].score, 0.65);
}

TEST_F(BlazeFaceTest, IgnoresSpecks) {
  Box face;
  EXPECT_THAT(detector_->Detect(FaceInAPicture({200, 200}, 18, {90, 90}, &face)), IsEmpty());
  EXPECT_THAT(detector_->Detect(FaceInAPicture({200, 200}, 40, {90, 90}, &face)), SizeIs(1));
}

TEST_F(BlazeFaceTest, DrawsTheBoxOfASmallFaceAsWellAsThatOfALargeOne) {
  for (const double height : {60.0, 90.0, 120.0, 160.0, 300.0}) {
    Box face;
    const cv::Mat picture = FaceInAPicture({1920, 1080}, height, {900, 400}, &face);
    const auto faces = detector_->Detect(picture);
    ASSERT_THAT(faces, SizeIs(1)) << height;
    EXPECT_GT(Iou(faces[0].box, face), 0.75) << height;
  }
}

TEST_F(BlazeFaceTest, FollowsACloseUp) {
  const cv::Mat close_up = Astronaut()(cv::Rect(180, 70, 90, 110));
  EXPECT_TRUE(detector_->DetectNear(close_up, {0, -15, 92, 125}));
}

TEST_F(BlazeFaceTest, FindsACloseUp) {
  const cv::Mat close_up = Astronaut()(cv::Rect(180, 70, 90, 120));
  const auto faces = detector_->Detect(close_up);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_GT(faces[0].box.width, 50);
}

TEST_F(BlazeFaceTest, FindsSeveralFacesStrongestFirst) {
  cv::Mat pair;
  cv::hconcat(Astronaut(), Astronaut(), pair);
  const auto faces = detector_->Detect(pair);
  ASSERT_THAT(faces, SizeIs(2));
  EXPECT_GE(faces[0].score, faces[1].score);
}

TEST_F(BlazeFaceTest, FindsNoFaceWhereThereIsNone) {
  cv::Mat noise(720, 1280, CV_8UC3);
  cv::RNG random(1);
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  EXPECT_THAT(detector_->Detect(noise), IsEmpty());
  EXPECT_THAT(detector_->Detect(cv::Mat(480, 640, CV_8UC3, cv::Scalar(120, 130, 140))), IsEmpty());
}

TEST_F(BlazeFaceTest, TakesPicturesOfEveryShapeAndKind) {
  EXPECT_THAT(detector_->Detect(cv::Mat()), IsEmpty());
  EXPECT_THAT(detector_->Detect(cv::Mat::zeros(1, 1, CV_8UC3)), IsEmpty());
  EXPECT_THAT(detector_->Detect(cv::Mat::zeros(2, 16000, CV_8UC3)), IsEmpty());
  EXPECT_THAT(detector_->Detect(cv::Mat::zeros(9000, 1, CV_8UC3)), IsEmpty());
  EXPECT_THAT(detector_->Detect(cv::Mat::zeros(10, 10, CV_32FC3)), IsEmpty());
  cv::Mat grey;
  cv::cvtColor(Astronaut(), grey, cv::COLOR_BGR2GRAY);
  EXPECT_THAT(detector_->Detect(grey), SizeIs(1));
  cv::Mat wide(512, 8000, CV_8UC3, cv::Scalar::all(90));
  Astronaut().copyTo(wide(cv::Rect(7000, 0, 512, 512)));
  EXPECT_THAT(detector_->Detect(wide), SizeIs(1));
  cv::Mat strip(160, 3000, CV_8UC3, cv::Scalar::all(90));
  Astronaut()(cv::Rect(150, 30, 160, 160)).copyTo(strip(cv::Rect(2000, 0, 160, 160)));
  EXPECT_THAT(detector_->Detect(strip), SizeIs(1));
}

TEST_F(BlazeFaceTest, IgnoresExpectationsThatMakeNoSense) {
  const cv::Mat picture = Astronaut();
  EXPECT_FALSE(detector_->DetectNear(picture, {}));
  EXPECT_FALSE(detector_->DetectNear(picture, {5000, 5000, 100, 100}));
  EXPECT_FALSE(detector_->DetectNear(picture, {0, 0, -5, 1e300}));
  EXPECT_FALSE(detector_->DetectNear(cv::Mat(), kAstronautFace));
}

TEST(MakeBlazeFace, DropsTheWeakestFacesBeyondItsLimit) {
  cv::Mat pair;
  cv::hconcat(Astronaut(), Astronaut(), pair);
  EXPECT_THAT(MakeBlazeFace({.folder = kDetectors, .threads = 1, .max_faces = 1}).value()->Detect(pair),
              SizeIs(1));
}

TEST(MakeBlazeFace, SaysThatAFileIsAbsent) {
  const auto made = MakeBlazeFace({.folder = "/nonexistent"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(made.error().hint, testing::HasSubstr("setup"));
}

TEST(MakeBlazeFace, RefusesAFileWithOtherContent) {
  const fs::path folder = fs::path(testing::TempDir()) / "unmask-wrong-blazeface";
  fs::create_directories(folder);
  std::ofstream(folder / "face_detection_full_range.tflite") << "not a network";
  const auto made = MakeBlazeFace({.folder = folder});
  fs::remove_all(folder);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInternal);
  EXPECT_THAT(made.error().message, testing::HasSubstr("sha256"));
}

}  // namespace
}  // namespace unmask
