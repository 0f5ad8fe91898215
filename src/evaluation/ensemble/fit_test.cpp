// SPDX-License-Identifier: Apache-2.0
// The fits of an ensemble: logistic regression, thresholds, cross-fits, tracks.
#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "evaluation/ensemble/face_fit.hpp"
#include "evaluation/ensemble/logistic.hpp"
#include "evaluation/ensemble/looks.hpp"
#include "evaluation/ensemble/track_fit.hpp"
#include "model/calibration.hpp"
#include "model/ensemble.hpp"

namespace unmask {
namespace {

using testing::HasSubstr;

/// Draws that are the same everywhere.
class Draw {
 public:
  double Uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  double Normal() {  // Box and Muller 1958
    return std::sqrt(-2 * std::log(1 - Uniform())) * std::cos(2 * M_PI * Uniform());
  }

 private:
  std::mt19937_64 engine_{5};
};

/// Two members that know different things of a face, and a third that knows nothing.
std::vector<MemberLogits> Faces(int count, bool with_noise_member = false) {
  Draw draw;
  std::vector<MemberLogits> faces;
  for (int i = 0; i < count; ++i) {
    const bool fake = i % 2 == 0;
    const double shift = fake ? 1 : -1;
    MemberLogits face{.manipulated = fake, .cluster = std::to_string(i / 3), .logits = {}};
    face.logits = {shift + draw.Normal(), 2 * shift + 3 * draw.Normal()};
    if (with_noise_member) face.logits.push_back(draw.Normal() - 0.1 * shift);
    faces.push_back(face);
  }
  return faces;
}

std::vector<LogisticSample> Samples(const std::vector<MemberLogits>& faces) {
  std::vector<LogisticSample> samples;
  for (const MemberLogits& face : faces) samples.push_back({face.manipulated, face.logits});
  return samples;
}

TEST(Logistic, GivesTheFitOfTraining) {
  // Expected: fit_platt([1, 1, 0, 1, 0, 0], [2.5, 0.5, 0.8, 1.5, -1.0, -2.0]) of
  // training/unmask_training/calibrate.py.
  std::vector<LogisticSample> samples;
  const bool labels[] = {true, true, false, true, false, false};
  const double logits[] = {2.5, 0.5, 0.8, 1.5, -1.0, -2.0};
  for (int i = 0; i < 6; ++i) samples.push_back({labels[i], {logits[i]}});
  const Calibration calibration = FitPlatt(samples);
  EXPECT_NEAR(calibration.slope, 0.691174, 1e-6);
  EXPECT_NEAR(calibration.intercept, -0.287191, 1e-6);
}

TEST(Logistic, StaysFiniteWhereClassesSeparate) {
  const std::vector<LogisticSample> samples = {{true, {3}}, {true, {4}}, {false, {-3}}, {false, {-5}}};
  const LogisticFit fit = FitLogistic(samples, false);
  EXPECT_GT(fit.weights[0], 0);
  EXPECT_LT(fit.weights[0], 10);
}

TEST(Logistic, FindsTheWeightsOfHighestLikelihood) {
  // Normal classes of equal spread have the log odds 2 * mean / variance * x: 2 * 1 / 1 and 2 * 2 / 9.
  const LogisticFit fit = FitLogistic(Samples(Faces(40000)), true);
  EXPECT_NEAR(fit.weights[0], 2, 0.1);
  EXPECT_NEAR(fit.weights[1], 4.0 / 9, 0.03);
  EXPECT_NEAR(fit.bias, 0, 0.05);
}

TEST(Logistic, GivesNoWeightBelowZero) {
  const auto samples = Samples(Faces(4000, true));
  EXPECT_LT(FitLogistic(samples, false).weights[2], 0) << "the third member points the wrong way";
  const LogisticFit bounded = FitLogistic(samples, true);
  EXPECT_EQ(bounded.weights[2], 0);
  // The others are those of a fit without it.
  std::vector<LogisticSample> without = samples;
  for (LogisticSample& sample : without) sample.features.pop_back();
  const LogisticFit two = FitLogistic(without, true);
  EXPECT_NEAR(bounded.weights[0], two.weights[0], 1e-6);
  EXPECT_NEAR(bounded.weights[1], two.weights[1], 1e-6);
}

TEST(Logistic, TakesFeaturesThatSayTheSame) {
  std::vector<LogisticSample> samples = Samples(Faces(400));
  for (LogisticSample& sample : samples) sample.features[1] = sample.features[0];
  const LogisticFit fit = FitLogistic(samples, true);
  EXPECT_TRUE(std::isfinite(fit.weights[0]) && std::isfinite(fit.weights[1]));
  EXPECT_NEAR(fit.weights[0] + fit.weights[1], 2, 0.5);
}

TEST(FaceFit, PutsThresholdsWhereTheirRatesAre) {
  const auto faces = Faces(2000);
  const auto fit = FitFaces(faces, std::nullopt);
  ASSERT_TRUE(fit) << fit.error().message;
  int real_above = 0;
  int fake_below = 0;
  for (const MemberLogits& face : faces) {
    const double score = CalibratedScore(Combine(fit->combination, face.logits), fit->calibration);
    real_above += !face.manipulated && score >= fit->thresholds.manipulated ? 1 : 0;
    fake_below += face.manipulated && score < fit->thresholds.clear ? 1 : 0;
  }
  EXPECT_EQ(real_above, 10) << "1 % of 1000";
  EXPECT_EQ(fake_below, 40) << "4 % of 1000";
  EXPECT_NEAR(fit->miss_at_clear, kMissAtClear, 1e-9);
  EXPECT_NEAR(fit->calibration.slope, 1, 0.01) << "fitted weights give calibrated log odds already";
}

TEST(FaceFit, KeepsACombinationThatIsGiven) {
  const auto fit = FitFaces(Faces(600), MeanOf(2));
  ASSERT_TRUE(fit);
  EXPECT_FALSE(fit->combination.fitted);
  EXPECT_THAT(fit->combination.weights, testing::ElementsAre(0.5, 0.5));
}

TEST(FaceFit, RefusesWhatCannotBeFitted) {
  auto faces = Faces(100);
  for (MemberLogits& face : faces) face.manipulated = true;
  EXPECT_THAT(FitFaces(faces, std::nullopt).error().message, HasSubstr("found 100 and 0"));
  faces = Faces(2000);
  for (MemberLogits& face : faces) face.manipulated = !face.manipulated;
  EXPECT_THAT(FitFaces(faces, std::nullopt).error().message, HasSubstr("no member's logit"));
  EXPECT_THAT(FitFaces(faces, MeanOf(2)).error().message, HasSubstr("no sign of manipulation"));
}

TEST(CrossFit, JudgesNoFaceByAFitThatSawIt) {
  // A face that alone decides the threshold at 1 %: judged by others it cannot.
  auto faces = Faces(300);
  const auto before = CrossFit(faces, MeanOf(2));
  ASSERT_TRUE(before);
  faces[7].logits = {50, 50};  // authentic
  const auto after = CrossFit(faces, MeanOf(2));
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)[7].verdict, Verdict::kManipulated);
  EXPECT_EQ((*after)[7].thresholds->manipulated, (*before)[7].thresholds->manipulated)
      << "its own fold's fit has not seen it";
  const auto same = [&](std::size_t i) {
    return (*after)[i].thresholds->manipulated == (*before)[i].thresholds->manipulated;
  };
  EXPECT_TRUE(same(6) && same(8)) << "nor that of its cluster";
  int changed = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) changed += same(i) ? 0 : 1;
  EXPECT_NEAR(changed, 240, 5) << "the other four folds' have";
}

TEST(CrossFit, DealsClustersTheSameWayInAnyOrder) {
  const auto faces = Faces(300);
  auto reversed = faces;
  std::reverse(reversed.begin(), reversed.end());
  const auto forward = CrossFit(faces, std::nullopt);
  const auto backward = CrossFit(reversed, std::nullopt);
  ASSERT_TRUE(forward && backward);
  for (std::size_t i = 0; i < faces.size(); ++i)
    EXPECT_NEAR(*(*forward)[i].score, *(*backward)[faces.size() - 1 - i].score, 1e-6);
}

TEST(TrackFit, FindsThatTracksSayMoreThanOneFace) {
  Draw draw;
  std::vector<LabelledTrack> tracks;
  std::vector<MemberLogits> single;
  for (int i = 0; i < 600; ++i) {
    const double shift = i % 2 == 0 ? 1 : -1;
    LabelledTrack track{.manipulated = i % 2 == 0, .logits = {}};
    for (int k = 0; k < 16; ++k) track.logits.push_back(shift + 1.5 * draw.Normal());
    single.push_back({track.manipulated, "", {track.logits.front()}});
    tracks.push_back(std::move(track));
  }
  const Combination alone{.fitted = true, .weights = {1}, .bias = 0};
  const auto face = FitFaces(single, alone);
  ASSERT_TRUE(face);
  const auto compared = CompareTracks(tracks, *face);
  ASSERT_TRUE(compared) << compared.error().message;
  ASSERT_EQ(compared->size(), 4u);
  EXPECT_EQ((*compared)[3].own.faces, 16);
  EXPECT_GT((*compared)[3].own.calibration.slope, face->calibration.slope) << "means of many scatter less";
  EXPECT_GT((*compared)[3].with_own.tpr, (*compared)[0].with_own.tpr);
  EXPECT_LE((*compared)[3].with_own.fpr, 0.011);
  EXPECT_TRUE(NeedOwnPoints(*compared));
}

TEST(Looks, AreTheSameEveryTimeAndDifferFromEachOther) {
  cv::Mat face(96, 96, CV_8UC3);
  cv::RNG random(3);
  random.fill(face, cv::RNG::UNIFORM, 0, 256);
  const auto looks = Looks(3);
  const auto one = looks[0].apply(face, 7).value();
  EXPECT_EQ(cv::norm(one, looks[0].apply(face, 7).value(), cv::NORM_INF), 0);
  const auto two = looks[1].apply(face, 7).value();
  EXPECT_TRUE(one.size() != two.size() || cv::norm(one, two, cv::NORM_INF) > 0);
  EXPECT_GE(one.cols, static_cast<int>(0.9 * 0.7 * 96));
  EXPECT_LE(one.cols, 96);
}

}  // namespace
}  // namespace unmask
