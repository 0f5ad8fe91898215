// SPDX-License-Identifier: Apache-2.0
//
// What the contracts' steps make of a picture, against the originals' own library.

#include "compat/faithful/steps.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/id.hpp"
#include "compat/faithful/mesonet_steps.hpp"
#include "compat/faithful/microservice_steps.hpp"
#include "compat/faithful/predict_steps.hpp"
#include "compat/faithful/test_pictures.hpp"
#include "compat/faithful/web_upload_steps.hpp"

namespace unmask::compat {
namespace {

const std::filesystem::path kSource = UNMASK_SOURCE_DIR;

std::string CropHash(const Steps& steps, const cv::Mat& picture) {
  cv::Mat crop(steps.input(), CV_32FC3);
  steps.Prepare(picture, {}, {crop.ptr<float>(), crop.total() * 3});
  return HashOf(crop);
}

struct CropCase {
  cv::Size from;
  const char* microservice;
  const char* mesonet_bgr;
  const char* mesonet_rgb;
  const char* predict;
};

// Recorded from OpenCV 4.11.0 by tests/compat/record/opencv_steps.py.
const CropCase kCrops[] = {
    {{64, 64}, "b2d26e71c7f3f2a9", "3e64464355e64a60", "6fa40fe0411c1834", "7ae081ad837662d0"},
    {{100, 80}, "504e1f76a43c027c", "e824318d8d780c0a", "a71d1dd56612ae81", "543de35f734339f0"},
    {{333, 777}, "bac847718fd5a56f", "65a275af31cf2e4f", "2a111395c010d59f", "8b8b4baea62f174a"},
    {{20, 31}, "e56cec052f991e38", "acb626d53f074a6e", "9e03ce16f81f5b88", "4e9e04c41d089834"},
    {{256, 100}, "00a79365db891289", "ef5037793eab7eca", "6afa7533fc7fad51", "7dd8f2e3c4892e83"},
    {{500, 450}, "b2385fb30e8488ba", "03a12a5e4af6fd80", "c1c978b87ecd62dc", "db48e95d2ee4d2c4"},
    {{128, 128}, "cd57d4371cf24b34", "6d3b1fbfd47ace39", "9a4a810949ce0b5e", "4dfc67f1ce0a3c36"},
    {{1, 9}, "2d90f90d6cb48266", "fc3d0c3aeafabc9a", "8e8f4cbdf425029e", "79f4f348766a7e23"},
};

TEST(Steps, PrepareCropsToTheLastBitAsTheOriginalsDo) {
  const auto bgr = MakeMesonetSteps(nullptr, nullptr, Channels::kBgr);
  const auto rgb = MakeMesonetSteps(nullptr, nullptr, Channels::kRgb);
  const auto predict = MakePredictSteps(nullptr);
  const auto microservice = MakeMicroserviceSteps(nullptr, nullptr);
  for (const CropCase& expected : kCrops) {
    const cv::Mat picture = Noise(expected.from);
    EXPECT_EQ(CropHash(*microservice, picture), expected.microservice) << expected.from;
    EXPECT_EQ(CropHash(*bgr, picture), expected.mesonet_bgr) << expected.from;
    EXPECT_EQ(CropHash(*rgb, picture), expected.mesonet_rgb) << expected.from;
    EXPECT_EQ(CropHash(*predict, picture), expected.predict) << expected.from;
  }
}

TEST(WebUploadSteps, JudgeTheWholePictureAsItIsStored) {
  const auto steps = MakeWebUploadSteps();
  EXPECT_FALSE(steps->turn());
  const auto region = steps->Find(Noise({30, 20}), {});
  EXPECT_EQ((*region)->rect, cv::Rect(0, 0, 30, 20));
  EXPECT_EQ((*region)->finder, "none");
  std::vector<float> red(224 * 224 * 3);
  steps->Prepare(cv::Mat(5, 9, CV_8UC3, cv::Scalar(0, 51, 255)), {}, red);
  EXPECT_EQ(red[0], 1.0f);
  EXPECT_EQ(red[1], 0.2f);
  EXPECT_EQ(red[2], 0.0f);
}

TEST(PredictRegion, IsTheLargestBoxAndAFifthMore) {
  const cv::Size picture(640, 480);
  EXPECT_FALSE(PredictRegion({}, picture));
  const std::vector<cv::Rect> boxes{{10, 10, 30, 30}, {100, 100, 50, 40}, {300, 100, 40, 50}};
  EXPECT_EQ(PredictRegion(boxes, picture), cv::Rect(95, 96, 60, 48)) << "of equal ones the first";
  EXPECT_EQ(PredictRegion(std::vector<cv::Rect>{{100, 100, 35, 35}}, picture), cv::Rect(96, 96, 42, 42))
      << "its corners are truncated, not its size";
  EXPECT_EQ(PredictRegion(std::vector<cv::Rect>{{0, 440, 40, 40}}, picture), cv::Rect(0, 436, 44, 44));
}

TEST(MesonetRegion, KeepsTheOriginalsQuirks) {
  const cv::Size picture(640, 480);
  EXPECT_EQ(MesonetRegion({100, 100, 59, 50}, picture), cv::Rect(95, 95, 69, 60)) << "truncated padding";
  EXPECT_EQ(MesonetRegion({2, -20, 50, 50}, picture), cv::Rect(0, 0, 60, 60))
      << "cut off at 0 without getting smaller";
  EXPECT_EQ(MesonetRegion({600, 450, 50, 50}, picture), cv::Rect(595, 445, 45, 35));
  EXPECT_TRUE(MesonetRegion({700, 100, 50, 50}, picture).empty());
  EXPECT_TRUE(MesonetRegion({100, 100, -50, 50}, picture).empty());
}

TEST(FrontalCascade, FindsTheBoxesOfTheOriginalsInTheirOrder) {
  const auto cascade = FrontalCascade::Load(kSource / "third_party/detectors");
  ASSERT_TRUE(cascade) << cascade.error().message;
  const cv::Mat portrait = cv::imread(kSource / "third_party/test_media/astronaut.png");
  cv::Mat twice;
  cv::resize(portrait, twice, {1024, 1024});
  // Recorded from OpenCV 4.11.0 by tests/compat/record/opencv_steps.py.
  using Boxes = std::vector<cv::Rect>;
  EXPECT_EQ((*cascade)->Find(portrait, {.min_neighbours = 4}), (Boxes{{177, 66, 95, 95}}));
  EXPECT_EQ((*cascade)->Find(twice, {.min_neighbours = 4}),
            (Boxes{{449, 957, 30, 30}, {838, 864, 53, 53}, {352, 130, 194, 194}}));
  EXPECT_EQ((*cascade)->Find(twice, {.min_neighbours = 5, .min_side = 30}),
            (Boxes{{838, 864, 53, 53}, {352, 130, 194, 194}}));
  const auto ungrouped = (*cascade)->Find(portrait, {.min_neighbours = 0});
  ASSERT_EQ(ungrouped.size(), 47u);
  EXPECT_EQ(ungrouped[0], cv::Rect(128, 272, 24, 24));
  EXPECT_EQ(ungrouped[5], cv::Rect(191, 74, 68, 68));
}

TEST(FrontalCascade, SaysThatItIsAbsent) {
  const auto cascade = FrontalCascade::Load("/none");
  ASSERT_FALSE(cascade);
  EXPECT_EQ(cascade.error().code, ErrorCode::kNotFound);
}

struct FaceCase {
  cv::Rect cut;
  std::vector<RelativeFace> faces;
};

// Recorded from MediaPipe 0.10.14 by tests/compat/record/mediapipe_faces.py.
const FaceCase kFaces[] = {
    {{0, 0, 512, 512}, {{0.34681, 0.16186, 0.18622, 0.18622, 0.92174}}},
    {{100, 0, 300, 512}, {{0.26431, 0.15889, 0.32369, 0.18967, 0.94565}}},
    {{0, 30, 512, 200}, {{0.35366, 0.27758, 0.17469, 0.44720, 0.93148}}},
    {{140, 20, 180, 220}, {{0.18004, 0.23651, 0.58132, 0.47555, 0.94809}}},
    {{220, 60, 256, 256}, {}},
};

TEST(CloseUpFinder, FindsWhatMediaPipeFinds) {
  const auto finder = CloseUpFinder::Load(kSource / "third_party/detectors", {.threads = 1});
  ASSERT_TRUE(finder) << finder.error().message;
  const cv::Mat portrait = cv::imread(kSource / "third_party/test_media/astronaut.png");
  for (const auto& [cut, expected] : kFaces) {
    const auto found = (*finder)->Find(portrait(cut), 0.5);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), expected.size()) << cut;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR((*found)[i].x, expected[i].x, 2e-4) << cut;
      EXPECT_NEAR((*found)[i].y, expected[i].y, 2e-4) << cut;
      EXPECT_NEAR((*found)[i].width, expected[i].width, 2e-4) << cut;
      EXPECT_NEAR((*found)[i].height, expected[i].height, 2e-4) << cut;
      EXPECT_NEAR((*found)[i].score, expected[i].score, 2e-3) << cut;
      EXPECT_EQ((*found)[i].Truncated(cut.size()), expected[i].Truncated(cut.size())) << cut;
    }
  }
}

TEST(RelativeFace, IsTruncatedNumberByNumber) {
  const RelativeFace face{.x = -0.015f, .y = 0.5f, .width = 0.999f, .height = 0.1f};
  EXPECT_EQ(face.Truncated({100, 101}), cv::Rect(-1, 50, 99, 10));
}

/// Finds what the test says.
class ScriptedSsd : public SsdFinder {
 public:
  explicit ScriptedSsd(std::optional<SsdDetection> found) : found_(found) {}
  Result<std::optional<SsdDetection>> Find(const cv::Mat&) override { return found_; }

 private:
  std::optional<SsdDetection> found_;
};

Result<std::optional<Region>> FindBySsd(std::optional<SsdDetection> found) {
  const auto steps = MakeMicroserviceSteps(nullptr, std::make_shared<ScriptedSsd>(found));
  EXPECT_EQ(steps->finder(), "ssd");
  return steps->Find(Noise({40, 30}), {.face_finder = "MTCNN"});
}

TEST(MicroserviceSteps, TakeTheFinderThatIsThere) {
  const auto region = FindBySsd(SsdDetection{.box = {1, 2, 3, 4}, .score = 0.75});
  ASSERT_TRUE(region && *region);
  EXPECT_EQ((*region)->rect, cv::Rect(1, 2, 3, 4));
  EXPECT_EQ((*region)->finder, "ssd");
  EXPECT_EQ((*region)->score, 0.75);
  EXPECT_FALSE(*FindBySsd(std::nullopt));
}

TEST(MicroserviceSteps, FailOnAnEmptyBoxAsTheOriginalDoes) {
  EXPECT_EQ(FindBySsd(SsdDetection{.box = {40, 2, 3, 4}}).error().code, ErrorCode::kUndecodable);
  EXPECT_EQ(FindBySsd(SsdDetection{.box = {4, 2, 0, 4}}).error().code, ErrorCode::kUndecodable);
}

TEST(FirstConfident, IsTheFirstAboveOneHalfWhoseCornersAreTruncated) {
  const cv::Mat rows = (cv::Mat_<float>(4, 7) << 0, 1, 0.5, 0, 0, 1, 1,  //
                        0, 1, 0.51, -0.1, 0.255, 0.999, 1.2,             //
                        0, 1, 0.99, 0, 0, 1, 1,                          //
                        0, 1, 0.4, 0, 0, 1, 1);
  const auto found = FirstConfident(rows, {200, 100});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->box, cv::Rect(0, 25, 199, 75));
  EXPECT_NEAR(found->score, 0.51, 1e-6);
  EXPECT_FALSE(FirstConfident(rows.rowRange(0, 1), {200, 100}));
  const cv::Mat turned = (cv::Mat_<float>(1, 7) << 0, 1, 0.9, 0.5, 0.5, 0.2, 0.2);
  EXPECT_TRUE(FirstConfident(turned, {200, 100})->box.empty());
}

TEST(SsdFinder, SaysWhichFileIsAbsent) {
  const auto finder = SsdFinder::Load("/none");
  ASSERT_FALSE(finder);
  EXPECT_EQ(finder.error().code, ErrorCode::kNotFound);
  EXPECT_NE(finder.error().message.find("/none/deploy.prototxt.txt"), std::string::npos);
}

/// A network in Caffe's form that gives one detection, whose confidence is the mean of blue less its mean in
/// the training data, a hundredth of it.
constexpr const char* kOneDetection = R"(
  name: "one" input: "data" input_shape { dim: 1 dim: 3 dim: 300 dim: 300 }
  layer { name: "mean" type: "Pooling" bottom: "data" top: "mean" pooling_param { pool: AVE global_pooling: true } }
  layer { name: "blue" type: "Slice" bottom: "mean" top: "blue" top: "rest" slice_param { axis: 1 slice_point: 1 } }
  layer { name: "zero" type: "Power" bottom: "blue" top: "zero" power_param { scale: 0 shift: 0 } }
  layer { name: "sure" type: "Power" bottom: "blue" top: "sure" power_param { scale: 0.01 shift: 0 } }
  layer { name: "near" type: "Power" bottom: "blue" top: "near" power_param { scale: 0 shift: 0.25 } }
  layer { name: "far" type: "Power" bottom: "blue" top: "far" power_param { scale: 0 shift: 0.75 } }
  layer { name: "row" type: "Concat" bottom: "zero" bottom: "zero" bottom: "sure" bottom: "near" bottom: "near"
          bottom: "far" bottom: "far" top: "row" concat_param { axis: 3 } }
)";

TEST(SsdFinder, RunsTheOperatorsNetwork) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("ssd-" + NewTraceId());
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "deploy.prototxt.txt") << kOneDetection;
  std::ofstream(folder / "res10_300x300_ssd_iter_140000.caffemodel") << "\x0a\x03one";  // its name alone
  const auto finder = SsdFinder::Load(folder);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(finder) << finder.error().message;
  const auto found = (*finder)->Find(cv::Mat(80, 40, CV_8UC3, cv::Scalar(164, 0, 0)));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->box, cv::Rect(10, 20, 20, 40));
  EXPECT_NEAR((*found)->score, 0.6, 1e-4);
  EXPECT_FALSE(*(*finder)->Find(cv::Mat(80, 40, CV_8UC3, cv::Scalar(150, 0, 0))));
}

TEST(MiddleSquare, IsAsLargeAsItFits) {
  EXPECT_EQ(MiddleSquare({640, 481}), cv::Rect(79, 0, 481, 481));
  EXPECT_EQ(MiddleSquare({3, 8}), cv::Rect(0, 2, 3, 3));
}

}  // namespace
}  // namespace unmask::compat
