// SPDX-License-Identifier: Apache-2.0
#include "face/detectors.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "base/leak_check_pause.hpp"
#include "face/detector_support.hpp"
#include "face/geometry.hpp"
#include "face/test_media.hpp"

namespace unmask {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
namespace fs = std::filesystem;

class Folder {
 public:
  explicit Folder(const std::string& name) : path_(fs::path(testing::TempDir()) / name) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(MakeFaceDetector, TakesBlazeFaceWhenItsFilesAreThere) {
  EXPECT_EQ(MakeFaceDetector({.folder = kDetectors, .threads = 1}).value()->name(), "blazeface");
}

TEST(MakeFaceDetector, FallsBackToHaarWhenOnlyThatIsThere) {
  const Folder folder("unmask-only-haar");
  fs::copy_file(kDetectors / "haarcascade_frontalface_default.xml",
                folder.path() / "haarcascade_frontalface_default.xml");
  EXPECT_EQ(MakeFaceDetector({.folder = folder.path()}).value()->name(), "haar");
}

TEST(MakeFaceDetector, FailsWithAHintWhenNothingIsThere) {
  const auto made = MakeFaceDetector({.folder = "/nonexistent"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(made.error().hint.empty());
}

TEST(MakeFaceDetector, DoesNotReplaceAYuNetFileThatIsAbsent) {
  const auto made = MakeFaceDetector({.folder = kDetectors, .yunet = "/nonexistent.onnx"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
}

TEST(Haar, FindsThePortraitsFace) {
  const auto detector = MakeHaar({.folder = kDetectors}).value();
  const auto faces = detector->Detect(Astronaut());
  ASSERT_FALSE(faces.empty());
  EXPECT_GT(Iou(faces[0].box, kAstronautFace), 0.6);
  EXPECT_GE(faces[0].score, 0.5);
  EXPECT_TRUE(detector->DetectNear(Astronaut(), kAstronautFace));
}

TEST(Haar, TakesPicturesOfEveryShapeAndKind) {
  const auto detector = MakeHaar({.folder = kDetectors}).value();
  EXPECT_THAT(detector->Detect(cv::Mat()), IsEmpty());
  EXPECT_THAT(detector->Detect(cv::Mat::zeros(1, 1, CV_8UC3)), IsEmpty());
  EXPECT_THAT(detector->Detect(cv::Mat::zeros(2, 16000, CV_8UC1)), IsEmpty());
}

TEST(Haar, RefusesAFileThatIsNoCascade) {
  const Folder folder("unmask-wrong-haar");
  std::ofstream(folder.path() / "haarcascade_frontalface_default.xml") << "<xml>";
  const auto made = MakeHaar({.folder = folder.path()});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInternal);
}

TEST(YuNet, RefusesANetworkThatIsNotYuNet) {
  const auto made = MakeYuNet({.yunet = kDetectors / "face_detection_short_range.tflite", .threads = 1});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kBadRequest);
  EXPECT_FALSE(made.error().hint.empty());
}

TEST(YuNet, RefusesAFileThatIsNoNetwork) {
  const LeakCheckPause pause;  // OpenVINO keeps eight bytes of a file that it could not read
  const Folder folder("unmask-wrong-yunet");
  std::ofstream(folder.path() / "yunet.onnx") << "not a network";
  EXPECT_FALSE(MakeYuNet({.yunet = folder.path() / "yunet.onnx", .threads = 1}));
}

class YuNetFile : public testing::TestWithParam<const char*> {};

TEST_P(YuNetFile, FindsFacesWithLandmarks) {
  const fs::path file = fs::path(UNMASK_SOURCE_DIR "/../shared/third_party_models/yunet") / GetParam();
  if (!fs::exists(file)) GTEST_SKIP() << "no YuNet file at " << file;
  const auto detector = MakeYuNet({.yunet = file, .threads = 1}).value();
  const auto faces = detector->Detect(Astronaut());
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_GT(Iou(faces[0].box, kAstronautFace), 0.9);
  ASSERT_TRUE(faces[0].landmarks);
  EXPECT_LT(faces[0].landmarks->right_eye.x, faces[0].landmarks->left_eye.x);
  EXPECT_TRUE(detector->DetectNear(Astronaut(), kAstronautFace));
  EXPECT_THAT(detector->Detect(Astronaut()(cv::Rect(185, 70, 84, 100)), Effort::kThorough), SizeIs(1));
  EXPECT_THAT(detector->Detect(cv::Mat()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Published, YuNetFile,
                         testing::Values("yunet_n_640_640.onnx", "yunet_n_dynamic.onnx"));

TEST(DetectorGuard, SurvivesAnEngineThatFails) {
  DetectorGuard guard("test");
  const cv::Mat picture = cv::Mat::zeros(4, 4, CV_8UC3);
  EXPECT_THAT(guard.Run(picture,
                        [](const cv::Mat&) -> Result<std::vector<Face>> {
                          return Fail(ErrorCode::kInternal, "no engine");
                        }),
              IsEmpty());
  EXPECT_THAT(guard.Run(picture,
                        [](const cv::Mat&) -> Result<std::vector<Face>> {
                          CV_Error(cv::Error::StsError, "no engine");
                        }),
              IsEmpty());
}

TEST(Plausible, DropsBoxesThatNoFaceOfThePictureCanHave) {
  const std::vector<Face> faces{{.box = {10, 10, 50, 50}},
                                {.box = {-90, 10, 50, 50}},
                                {.box = {-1000, -1000, 2100, 2100}},
                                {.box = {10, 10, 0, 50}}};
  EXPECT_THAT(Plausible(faces, {200, 100}), SizeIs(1));
}

TEST(Neighbourhood, IsASquareThatMayReachBeyondThePicture) {
  EXPECT_EQ(Neighbourhood({100, 100, 20, 30}, {500, 500}), cv::Rect(50, 55, 120, 120));
  EXPECT_EQ(Neighbourhood({0, 0, 20, 30}, {500, 500}), cv::Rect(-50, -45, 120, 120));
  EXPECT_TRUE(Neighbourhood({900, 0, 20, 30}, {500, 500}).empty());
}

TEST(BestOverlap, TakesTheFaceThatFitsBest) {
  const std::vector<Face> faces{{.box = {0, 0, 50, 50}, .score = 0.9},
                                {.box = {30, 0, 50, 50}, .score = 0.6}};
  EXPECT_EQ(BestOverlap(faces, {28, 0, 50, 50})->score, 0.6);
  EXPECT_FALSE(BestOverlap(faces, {300, 0, 50, 50}));
  EXPECT_FALSE(BestOverlap({}, {0, 0, 50, 50}));
}

}  // namespace
}  // namespace unmask
