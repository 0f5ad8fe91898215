// SPDX-License-Identifier: Apache-2.0
#include "analysis/stability.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

namespace unmask {
namespace {

const OperatingPoints kPoints{
    .face = {.calibration = {.fitted = true, .slope = 1, .intercept = 0},
             .thresholds = {.manipulated = 0.9, .clear = 0.5, .fpr_at_manipulated = 0.01}}};

TrackReport TrackWith(double logit, Verdict verdict) {
  TrackReport track;
  track.verdict = verdict;
  track.logit = logit;
  track.score = 1 / (1 + std::exp(-logit));
  return track;
}

TrackStability Judge(double logit, Verdict verdict, std::vector<double> shifts) {
  return JudgeStability(TrackWith(logit, verdict), 1, shifts, kPoints);
}

TEST(JudgeStability, KeepsAVerdictThatNoVariantChanges) {
  const auto stability = Judge(5, Verdict::kManipulated, {-1, -0.5, 0.5, 1});
  EXPECT_TRUE(stability.stable);
  EXPECT_EQ(stability.flips, 0);
  EXPECT_NEAR(stability.spread, 1 / (1 + std::exp(-6)) - 1 / (1 + std::exp(-4)), 1e-12);
}

TEST(JudgeStability, AllowsAMinorityOfVariantsToRaiseDoubt) {
  EXPECT_TRUE(Judge(3, Verdict::kManipulated, {-1, 0, 0, 0}).stable);
  EXPECT_EQ(Judge(3, Verdict::kManipulated, {-1, 0, 0, 0}).flips, 1);
  EXPECT_FALSE(Judge(3, Verdict::kManipulated, {-1, -1, 0, 0}).stable) << "half of them";
}

TEST(JudgeStability, RefusesAVerdictThatOneVariantTurnsIntoItsOpposite) {
  EXPECT_FALSE(Judge(3, Verdict::kManipulated, {-4, 0, 0, 0}).stable);
  EXPECT_FALSE(Judge(-1, Verdict::kNoManipulationFound, {4, 0, 0, 0}).stable);
}

TEST(JudgeStability, CountsTheUnchangedScoreToTheSpread) {
  EXPECT_NEAR(Judge(0, Verdict::kNoManipulationFound, {-1}).spread, 0.5 - 1 / (1 + std::exp(1)), 1e-12);
}

TEST(MildVariants, ArePicturesOfTheSameFace) {
  cv::Mat picture(120, 100, CV_8UC3, cv::Scalar(40, 90, 140));
  for (const Degradation& variant : MildVariants()) {
    const auto degraded = Degrade(picture, variant);
    ASSERT_TRUE(degraded) << CodeOf(variant);
    EXPECT_NEAR(cv::mean(*degraded)[0], 40, 2) << CodeOf(variant);
  }
}

/// Gives four times a crop's first value, the brighter the more suspicious, moved by `shift` for the faces
/// with these numbers, from 1 in the order in which they come; for all but the first when none are given.
class BrightnessNetwork final : public Network {
 public:
  explicit BrightnessNetwork(float shift, std::set<int> shifted = {})
      : shift_(shift), shifted_(std::move(shifted)) {}

  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    Tensor logits{.name = "logit", .shape = {input.shape[0], 1}};
    const std::size_t size = input.shape[1] * input.shape[2] * input.shape[3];
    for (std::size_t face = 0; face < input.shape[0]; ++face) {
      ++faces_;
      const bool moved = shifted_.empty() ? faces_ > 1 : shifted_.contains(faces_);
      logits.values.push_back(4 * input.values[face * size] + (moved ? shift_ : 0));
    }
    return std::vector<Tensor>{logits};
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::size_t width() const override { return 1; }

 private:
  float shift_;
  std::set<int> shifted_;
  int faces_ = 0;
};

ModelCard Card() {
  ModelCard card;
  card.input = {.name = "image",
                .width = 16,
                .height = 16,
                .mean = {127.5F, 127.5F, 127.5F},
                .scale = {127.5F, 127.5F, 127.5F}};
  card.output_name = "logit";
  card.calibration = kPoints.face.calibration;
  card.thresholds = kPoints.face.thresholds;
  return card;
}

/// The one view of a face of this brightness.
std::vector<FaceScores::View> White(int brightness) {
  return {{cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(brightness)), {0, 0, 64, 64}}};
}

/// The report on a still with one white face, which the network calls manipulated, after the check.
Report Checked(float shift) {
  const Scorer scorer(Card(), std::make_unique<BrightnessNetwork>(shift));
  FaceScores scores(scorer, true);
  FaceReport face{.track = 1, .box = {0, 0, 64, 64}, .used = true};
  EXPECT_TRUE(scores.Add(face, White(255), {}));
  Report report;
  report.sampling.frames_analysed = 1;
  report.faces = scores.Finish().value();
  JudgeReport(report, kPoints);
  EXPECT_EQ(report.verdict, Verdict::kManipulated);
  EXPECT_TRUE(CheckStability(report, scores, scorer));
  return report;
}

TEST(CheckStability, ConfirmsAVerdictThatLasts) {
  const Report report = Checked(-0.1F);
  EXPECT_EQ(report.verdict, Verdict::kManipulated);
  EXPECT_TRUE(report.stability.checked);
  EXPECT_EQ(report.stability.variants, 4);
  EXPECT_EQ(report.stability.flips, 0);
  EXPECT_GT(report.stability.spread, 0);
  EXPECT_THAT(report.reasons, testing::IsEmpty());
}

TEST(CheckStability, DescribesTheTrackThatDecidesInTheEnd) {
  // The first face is the brighter one. After both, its four variants are scored, and they alone are moved.
  const Scorer scorer(Card(), std::make_unique<BrightnessNetwork>(-5.0F, std::set<int>{3, 4, 5, 6}), 1);
  FaceScores scores(scorer, true);
  for (int track = 1; track <= 2; ++track)
    ASSERT_TRUE(
        scores.Add({.track = track, .box = {0, 0, 64, 64}, .used = true}, White(track == 1 ? 255 : 250), {}));
  Report report;
  report.sampling.frames_analysed = 1;
  report.faces = scores.Finish().value();
  JudgeReport(report, kPoints);
  ASSERT_EQ(report.score, report.tracks[0].score);
  ASSERT_TRUE(CheckStability(report, scores, scorer));
  EXPECT_EQ(report.tracks[0].verdict, Verdict::kInconclusive);
  EXPECT_EQ(report.tracks[1].verdict, Verdict::kManipulated);
  EXPECT_EQ(report.verdict, Verdict::kManipulated);
  EXPECT_EQ(report.score, report.tracks[1].score);
  EXPECT_EQ(report.stability.flips, 0);
}

TEST(CheckStability, MakesAVerdictInconclusiveThatReEncodingChanges) {
  const Report report = Checked(-3);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_THAT(report.reasons, testing::ElementsAre(Reason::kUnstable));
  EXPECT_EQ(report.tracks[0].verdict, Verdict::kInconclusive);
  EXPECT_EQ(report.stability.flips, 4);
}

}  // namespace
}  // namespace unmask
