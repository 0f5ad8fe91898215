// SPDX-License-Identifier: Apache-2.0
#include "evaluation/evaluate.hpp"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include "evaluation/scores_csv.hpp"
#include "evaluation/test_files.hpp"

namespace unmask {
namespace {

using testing::Contains;
using testing::HasSubstr;

const std::filesystem::path kPortrait =
    std::filesystem::path(UNMASK_SOURCE_DIR) / "third_party/test_media/astronaut.png";

class Counter final : public EvaluationProgress {
 public:
  void OnStart(std::size_t files) override { files_ = files; }
  void OnFile(const std::string&) override { ++done_; }
  std::size_t files_ = 0;
  std::atomic<std::size_t> done_ = 0;
};

/// A labelled folder: two faces, a picture without one, a broken file.
class EvaluateTest : public testing::Test {
 protected:
  void SetUp() override {
    const cv::Mat portrait = cv::imread(kPortrait.string());
    Save("real/face.png", portrait(cv::Rect(150, 40, 160, 160)));
    Save("fake/face.jpg", portrait(cv::Rect(140, 30, 180, 180)));
    Save("fake/grey.png", cv::Mat(120, 120, CV_8UC3, cv::Scalar(90, 90, 90)));
    folder_.Write("real/broken.jpg", "\xFF\xD8\xFF\xE0 nothing more");
  }

  void Save(const std::string& name, const cv::Mat& picture) const {
    std::vector<unsigned char> bytes;
    cv::imencode(std::filesystem::path(name).extension().string(), picture, bytes);
    folder_.Write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  EvaluationRequest Request(EvaluationInput input) const {
    EvaluationRequest request{.data = {.paths = {folder_.path()}}, .input = input, .bootstrap_rounds = 20};
    request.analyzer.decoder = std::filesystem::path(UNMASK_BUILD_DIR) / "unmask-decoder";
    return request;
  }

  TestFolder folder_;
  Counter progress_;
};

TEST_F(EvaluateTest, ScoresCropsAndCountsBrokenFiles) {
  const auto result = Evaluate(Request(EvaluationInput::kCrops), progress_);
  ASSERT_TRUE(result) << result.error().message;
  const Figures& figures = result->evaluation.figures;
  EXPECT_EQ(figures.authentic.files, 2U);
  EXPECT_EQ(figures.authentic.failed, 1U);
  EXPECT_EQ(figures.authentic.scored, 1U);
  EXPECT_EQ(figures.manipulated.scored, 2U);
  EXPECT_TRUE(figures.auc.value);
  EXPECT_EQ(result->evaluation.skipped.total(), 1U);
  EXPECT_EQ(result->outcomes.size(), 4U);
  EXPECT_EQ(progress_.files_, 4U);
  EXPECT_EQ(progress_.done_, 4U);
  EXPECT_EQ(result->evaluation.run.model->name, "face");
  EXPECT_EQ(result->evaluation.run.passes, 1U);
}

TEST_F(EvaluateTest, FindsFacesInMedia) {
  Save("fake/whole.png", cv::imread(kPortrait.string()));
  const auto result = Evaluate(Request(EvaluationInput::kMedia), progress_);
  ASSERT_TRUE(result) << result.error().message;
  const Figures& figures = result->evaluation.figures;
  EXPECT_EQ(figures.authentic.failed, 1U);
  EXPECT_EQ(figures.manipulated.no_face, 1U);  // the grey picture
  EXPECT_GE(figures.manipulated.scored, 1U);
  for (std::size_t i = 0; i < result->samples.size(); ++i)
    if (result->samples[i].name == "fake/grey.png") {
      EXPECT_THAT(result->outcomes[i].reasons, Contains("no_face"));
    }
}

TEST_F(EvaluateTest, DegradesCropsAndMediaAlike) {
  for (const auto input : {EvaluationInput::kCrops, EvaluationInput::kMedia}) {
    EvaluationRequest request = Request(input);
    request.degrade = true;
    const auto result = Evaluate(request, progress_);
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->evaluation.degraded.size(), 11U);
    for (const DegradedFigures& pass : result->evaluation.degraded) {
      EXPECT_TRUE(pass.flips.value) << pass.name << ": " << pass.flips.value.error();
      EXPECT_EQ(pass.figures.authentic.failed + pass.figures.manipulated.failed, 1U) << pass.name;
    }
    EXPECT_EQ(result->evaluation.run.passes, 12U);
  }
}

TEST_F(EvaluateTest, DegradesTheFramesOfAClip) {
  const auto clip = folder_.path() / "fake/clip.mp4";
  ASSERT_EQ(std::system(("ffmpeg -nostdin -v error -loop 1 -framerate 25 -i " + kPortrait.string() +
                         " -t 3 -pix_fmt yuv420p -c:v libx264 -preset veryfast " + clip.string())
                            .c_str()),
            0);
  EvaluationRequest request = Request(EvaluationInput::kMedia);
  request.degrade = true;
  const auto result = Evaluate(request, progress_);
  ASSERT_TRUE(result) << result.error().message;
  for (const DegradedFigures& pass : result->evaluation.degraded) {
    EXPECT_EQ(pass.figures.manipulated.failed, 0U) << pass.name;
    EXPECT_GE(pass.figures.manipulated.scored, 1U) << pass.name;
  }
}

TEST_F(EvaluateTest, RepeatsWhateverTheNumberOfThreads) {
  EvaluationRequest request = Request(EvaluationInput::kCrops);
  request.jobs = 1;
  const auto one = Evaluate(request, progress_);
  request.jobs = 4;
  const auto four = Evaluate(request, progress_);
  ASSERT_TRUE(one && four);
  EXPECT_EQ(ScoresCsv(one->samples, one->outcomes), ScoresCsv(four->samples, four->outcomes));
}

TEST_F(EvaluateTest, GivesTheSameFiguresFromScores) {
  const auto direct = Evaluate(Request(EvaluationInput::kCrops), progress_);
  ASSERT_TRUE(direct);
  EvaluationRequest request = Request(EvaluationInput::kScores);
  request.data.paths = {folder_.Write("scores.csv", ScoresCsv(direct->samples, direct->outcomes))};
  const auto again = Evaluate(request, progress_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->evaluation.figures.auc.value, direct->evaluation.figures.auc.value);
  EXPECT_EQ(again->evaluation.figures.brier.value, direct->evaluation.figures.brier.value);
  EXPECT_EQ(again->evaluation.figures.authentic.failed, 1U);
  EXPECT_FALSE(again->evaluation.run.model);
  EXPECT_THAT(again->evaluation.notes, Contains(HasSubstr("thresholds are those of face")));
}

TEST_F(EvaluateTest, TakesOtherThresholds) {
  EvaluationRequest request = Request(EvaluationInput::kScores);
  request.data.paths = {folder_.Write("s.csv", "path,label,score\na,real,0.3\nb,fake,0.4\n")};
  request.thresholds = Thresholds{.manipulated = 0.35, .clear = 0.2};
  const auto result = Evaluate(request, progress_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->evaluation.figures.manipulated.manipulated, 1U);
  EXPECT_EQ(result->evaluation.figures.authentic.inconclusive, 1U);
}

TEST_F(EvaluateTest, RefusesAVideoAsACrop) {
  folder_.Write("fake/clip.mp4", "not even a clip");
  const auto result = Evaluate(Request(EvaluationInput::kCrops), progress_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->evaluation.figures.manipulated.failed, 1U);
}

TEST_F(EvaluateTest, StopsWhenAskedTo) {
  std::stop_source source;
  source.request_stop();
  for (const auto input : {EvaluationInput::kCrops, EvaluationInput::kMedia}) {
    const auto result = Evaluate(Request(input), progress_, source.get_token());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  }
}

TEST_F(EvaluateTest, FailsWithoutAModel) {
  EvaluationRequest request = Request(EvaluationInput::kCrops);
  request.analyzer.models = folder_.path() / "nowhere";
  EXPECT_EQ(Evaluate(request, progress_).error().code, ErrorCode::kNotFound);
}

TEST(EvaluationInputName, IsStable) {
  EXPECT_EQ(InputName(EvaluationInput::kMedia), "media");
  EXPECT_EQ(InputName(EvaluationInput::kCrops), "crops");
  EXPECT_EQ(InputName(EvaluationInput::kScores), "scores");
}

}  // namespace
}  // namespace unmask
