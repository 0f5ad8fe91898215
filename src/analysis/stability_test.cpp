// SPDX-License-Identifier: Apache-2.0
#include "analysis/stability.hpp"

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

/// Says of a crop how far its first row is from its last: every variant leaves that alone, or it is told to
/// flip.
class GradientNetwork final : public Network {
 public:
  explicit GradientNetwork(float shift) : shift_(shift) {}

  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    Tensor logits{.name = "logit", .shape = {input.shape[0], 1}};
    const std::size_t size = input.shape[1] * input.shape[2] * input.shape[3];
    for (std::size_t face = 0; face < input.shape[0]; ++face) {
      const float value = input.values[face * size];
      logits.values.push_back(4 * value + (calls_++ == 0 ? 0 : shift_));
    }
    return std::vector<Tensor>{logits};
  }
  void Start(Tensor input, Done done) override { done(Infer(input)); }
  std::size_t width() const override { return 1; }

 private:
  float shift_;
  int calls_ = 0;
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

/// The report on a still with one white face, which the network calls manipulated, after the check.
Report Checked(float shift) {
  const Scorer scorer(Card(), std::make_unique<GradientNetwork>(shift));
  FaceScores scores(scorer, true);
  FaceReport face{.track = 1, .box = {0, 0, 64, 64}, .used = true};
  EXPECT_TRUE(scores.Add(face, cv::Mat(64, 64, CV_8UC3, cv::Scalar::all(255)), {0, 0, 64, 64}, {}));
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

TEST(CheckStability, MakesAVerdictInconclusiveThatReEncodingChanges) {
  const Report report = Checked(-3);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_THAT(report.reasons, testing::ElementsAre(Reason::kUnstable));
  EXPECT_EQ(report.tracks[0].verdict, Verdict::kInconclusive);
  EXPECT_EQ(report.stability.flips, 4);
}

}  // namespace
}  // namespace unmask
