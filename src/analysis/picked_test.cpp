// SPDX-License-Identifier: Apache-2.0
//
// Analyses of picked frames, with the real decoder, detector and model.

#include <cstdlib>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class Listener : public ProgressSink {
 public:
  void OnMedia(const MediaFacts& media) override { media_.push_back(media); }
  void OnFrame(const FrameReport& frame, std::int64_t analysed) override {
    EXPECT_FALSE(media_.empty());
    EXPECT_EQ(analysed, static_cast<std::int64_t>(frames_.size()) + 1);
    frames_.push_back(frame);
  }
  void OnProgress(double) override {}

  std::vector<MediaFacts> media_;
  std::vector<FrameReport> frames_;
};

class PickedAnalysis : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = fs::path(testing::TempDir()) / ("unmask-picked-" + NewTraceId());
    fs::create_directory(folder_);
    const fs::path source = UNMASK_SOURCE_DIR;
    portrait_ = source / "third_party/test_media/astronaut.png";
    // The face for two seconds, then two seconds of a plain wall.
    clip_ = folder_ / "clip.mp4";
    const auto command = fmt::format(
        "ffmpeg -nostdin -v error -y -loop 1 -framerate 25 -t 2 -i {} -f lavfi -t 2 -i "
        "color=c=gray:s=256x256:r=25 -filter_complex "
        "\"[0]scale=256:256,setsar=1[a];[1]setsar=1[b];[a][b]concat\" "
        "-c:v libx264 -preset ultrafast -pix_fmt yuv420p {}",
        portrait_.string(), clip_.string());
    ASSERT_EQ(std::system(command.c_str()), 0);
    auto analyzer = Analyzer::Create({.models = source / "models",
                                      .detectors = source / "third_party/detectors",
                                      .decoder = fs::path(UNMASK_BUILD_DIR) / "unmask-decoder",
                                      .cache = folder_ / "cache",
                                      .threads = 1});
    ASSERT_TRUE(analyzer) << analyzer.error().message;
    analyzer_ = std::move(*analyzer);
  }
  static void TearDownTestSuite() {
    analyzer_.reset();
    fs::remove_all(folder_);
  }

  static AnalysisOptions Picking(FramePick pick) {
    AnalysisOptions options;
    options.mode = SampleMode::kPicked;
    options.stability = false;
    options.pick = [pick = std::move(pick)](const MediaFacts&) -> Result<FramePick> { return pick; };
    return options;
  }

  static std::vector<std::int64_t> IndicesOf(const Report& report) {
    std::vector<std::int64_t> indices;
    for (const FrameReport& frame : report.frames) indices.push_back(frame.index);
    return indices;
  }

  Report Analyze(const fs::path& file, const AnalysisOptions& options) {
    auto report = analyzer_->Analyze(file, "clip", options, &listener_);
    if (report) return *report;
    ADD_FAILURE() << report.error().message;
    return {};
  }

  static inline fs::path folder_;
  static inline fs::path portrait_;
  static inline fs::path clip_;
  static inline std::unique_ptr<Analyzer> analyzer_;
  Listener listener_;
};

TEST_F(PickedAnalysis, LooksAtThePickedFramesAlone) {
  const Report report = Analyze(clip_, Picking({.indices = {3, 40, 60}}));
  EXPECT_THAT(IndicesOf(report), ElementsAre(3, 40, 60));
  EXPECT_EQ(report.frames[0].faces, 1);
  EXPECT_NEAR(report.frames[1].time, 1.6, 0.01);
  EXPECT_EQ(report.frames[2].faces, 0);
  ASSERT_EQ(report.faces.size(), 2u);
  EXPECT_EQ(report.faces[1].frame, 40);
  EXPECT_TRUE(report.faces[1].score);
  EXPECT_EQ(report.sampling.mode, SampleMode::kPicked);
  EXPECT_EQ(report.sampling.frames_analysed, 3);
  EXPECT_EQ(report.detector, "blazeface");
  EXPECT_FALSE(report.options.pick) << "a report is a plain value";
}

TEST_F(PickedAnalysis, APersonIsOneTrackHoweverFarThePickedFramesLieApart) {
  const auto slow = folder_ / "slow.mp4";
  const auto command = fmt::format(
      "ffmpeg -nostdin -v error -y -loop 1 -framerate 2 -t 20 -i {} -vf scale=256:256 -c:v libx264 -preset "
      "ultrafast -pix_fmt yuv420p {}",
      portrait_.string(), slow.string());
  ASSERT_EQ(std::system(command.c_str()), 0);
  const Report report = Analyze(slow, Picking({.indices = {0, 12, 39}}));
  EXPECT_EQ(report.tracks.size(), 1u);
  EXPECT_EQ(report.faces.size(), 3u);
}

TEST_F(PickedAnalysis, TellsTheMediaBeforeThePickAndEachFrame) {
  AnalysisOptions options = Picking({});
  options.pick = [this](const MediaFacts& media) -> Result<FramePick> {
    EXPECT_EQ(listener_.media_.size(), 1u);
    EXPECT_EQ(media.name, "clip");
    EXPECT_EQ(media.sha256.size(), 64u);
    EXPECT_EQ(media.frames, 100);
    return FramePick{.step = 50};
  };
  const Report report = Analyze(clip_, options);
  EXPECT_EQ(listener_.media_.size(), 1u);
  ASSERT_EQ(listener_.frames_.size(), 2u);
  EXPECT_EQ(listener_.frames_[1].index, 50);
  EXPECT_EQ(IndicesOf(report).size(), 2u);
}

TEST_F(PickedAnalysis, OtherModesTellTheMediaAndTheFramesToo) {
  const Report report = Analyze(clip_, {.fps = 1, .stability = false});
  EXPECT_EQ(listener_.media_.size(), 1u);
  EXPECT_EQ(listener_.frames_.size(), 4u);
  EXPECT_EQ(report.frames.size(), 4u);
}

TEST_F(PickedAnalysis, EndsAfterEnoughFramesWithAFace) {
  AnalysisOptions options = Picking({.step = 10});
  options.max_face_frames = 2;
  const Report report = Analyze(clip_, options);
  EXPECT_THAT(IndicesOf(report), ElementsAre(0, 10));
}

TEST_F(PickedAnalysis, NoFrameAtAllIsNoFace) {
  const Report report = Analyze(clip_, Picking({}));
  EXPECT_TRUE(report.frames.empty());
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_THAT(report.reasons, ElementsAre(Reason::kNoFace));
}

TEST_F(PickedAnalysis, AStillIsFrameZero) {
  const Report report = Analyze(portrait_, Picking({.step = 1}));
  EXPECT_THAT(IndicesOf(report), ElementsAre(0));
  EXPECT_EQ(report.faces.size(), 1u);
}

TEST_F(PickedAnalysis, AnErrorOfThePickIsTheAnalysisError) {
  AnalysisOptions options = Picking({});
  options.pick = [](const MediaFacts&) -> Result<FramePick> {
    return Fail(ErrorCode::kUndecodable, "has too few frames");
  };
  const auto report = analyzer_->Analyze(clip_, "clip", options);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "has too few frames");
}

TEST(Validate, PickingNeedsItsFunctionAndNoOtherModeTakesOne) {
  AnalysisOptions options;
  options.mode = SampleMode::kPicked;
  EXPECT_EQ(Validate(options).error().code, ErrorCode::kBadRequest);
  options.pick = [](const MediaFacts&) -> Result<FramePick> { return FramePick{}; };
  EXPECT_TRUE(Validate(options));
  options.mode = SampleMode::kFps;
  EXPECT_FALSE(Validate(options));
}

TEST(Validate, FaceFramesAreNotNegative) {
  AnalysisOptions options;
  options.max_face_frames = -1;
  EXPECT_FALSE(Validate(options));
  options.max_face_frames = 256;
  EXPECT_TRUE(Validate(options));
}

}  // namespace
}  // namespace unmask
