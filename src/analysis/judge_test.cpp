// SPDX-License-Identifier: Apache-2.0
#include "analysis/judge.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/calibration.hpp"

namespace unmask {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

// With slope 1 and intercept 0 these are the logits 2.94 and -0.85.
const Thresholds kThresholds{.manipulated = 0.95, .clear = 0.3, .fpr_at_manipulated = 0.01};

FaceReport FaceWith(int track, double time, double logit, std::vector<std::string> codes = {}) {
  FaceReport face;
  face.track = track;
  face.time = time;
  face.frame = static_cast<std::int64_t>(time * 30);
  face.logit = logit;
  face.score = CalibratedScore(logit, {});
  face.used = codes.empty();
  face.quality.codes = std::move(codes);
  return face;
}

Report ReportOf(std::vector<FaceReport> faces, std::int64_t frames) {
  Report report;
  report.faces = std::move(faces);
  report.sampling.frames_analysed = frames;
  JudgeReport(report, {.face = {.thresholds = kThresholds}});
  return report;
}

std::vector<FaceReport> Clip(int track, const std::vector<double>& logits) {
  std::vector<FaceReport> faces;
  for (std::size_t i = 0; i < logits.size(); ++i)
    faces.push_back(FaceWith(track, 0.5 * static_cast<double>(i), logits[i]));
  return faces;
}

TEST(Judge, NoFaceIsInconclusiveWithoutAScore) {
  const Report report = ReportOf({}, 10);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_FALSE(report.score);
  EXPECT_THAT(report.reasons, ElementsAre(Reason::kNoFace));
}

TEST(Judge, OneFaceIsEnoughForAStill) {
  EXPECT_EQ(ReportOf(Clip(1, {4}), 1).verdict, Verdict::kManipulated);
  EXPECT_EQ(ReportOf(Clip(1, {-3}), 1).verdict, Verdict::kNoManipulationFound);
}

TEST(Judge, BetweenTheThresholdsIsInconclusiveAndSaysSo) {
  const Report report = ReportOf(Clip(1, {1}), 1);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_THAT(report.reasons, ElementsAre(Reason::kBetweenThresholds));
}

TEST(Judge, OneBadFrameAccusesNobody) {
  std::vector<double> logits(20, -2.0);
  logits[7] = 12;
  const Report report = ReportOf(Clip(1, logits), 20);
  EXPECT_EQ(report.verdict, Verdict::kNoManipulationFound);
  EXPECT_THAT(report.tracks[0].segments, IsEmpty());
}

TEST(Judge, APersistentPartIsNotDilutedByTheRest) {
  std::vector<double> logits(20, -4.0);
  for (int i = 4; i < 14; ++i) logits[static_cast<std::size_t>(i)] = 5;
  const Report report = ReportOf(Clip(1, logits), 20);
  EXPECT_EQ(report.verdict, Verdict::kManipulated);
  ASSERT_EQ(report.tracks[0].segments.size(), 1u);
  EXPECT_DOUBLE_EQ(report.tracks[0].segments[0].start, 2.0);
  EXPECT_DOUBLE_EQ(report.tracks[0].segments[0].end, 6.5);
}

TEST(Judge, AShortDipDoesNotSplitASegment) {
  const Report dip = ReportOf(Clip(1, {5, 5, 5, 1, 5, 5, 5}), 7);
  EXPECT_EQ(dip.tracks[0].segments.size(), 1u);
  const Report gap = ReportOf(Clip(1, {5, 5, 5, -3, 5, 5, 5}), 7);
  EXPECT_EQ(gap.tracks[0].segments.size(), 2u);
}

TEST(Judge, TooFewFacesGiveAScoreButNoVerdict) {
  const Report report = ReportOf(Clip(1, {5, 5}), 20);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_TRUE(report.score);
  EXPECT_THAT(report.reasons, Contains(Reason::kFewFaces));
}

TEST(Judge, AClipOfTwoFramesNeedsOnlyTwoFaces) {
  EXPECT_EQ(ReportOf(Clip(1, {5, 5}), 2).verdict, Verdict::kManipulated);
}

TEST(Judge, UnusableFacesNameTheirFlaw) {
  const Report report = ReportOf({FaceWith(1, 0, 5, {"small"}), FaceWith(1, 0.5, 5, {"blurred"})}, 2);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_THAT(report.reasons, ElementsAre(Reason::kFewFaces, Reason::kFacesTooSmall, Reason::kLowQuality));
}

TEST(Judge, UnusableFacesDoNotCountBesideUsableOnes) {
  auto faces = Clip(1, {-3, -3, -3});
  faces.push_back(FaceWith(1, 1.5, 12, {"blurred"}));
  const Report report = ReportOf(faces, 4);
  EXPECT_NEAR(*report.logit, -3, 1e-9);
}

TEST(Judge, TheMostSuspiciousPersonDecides) {
  auto faces = Clip(1, {-3, -3, -3, -3});
  for (auto& face : Clip(2, {6, 6, 6, 6})) faces.push_back(face);
  const Report report = ReportOf(faces, 4);
  EXPECT_EQ(report.verdict, Verdict::kManipulated);
  EXPECT_EQ(report.tracks[0].verdict, Verdict::kNoManipulationFound);
  EXPECT_EQ(report.tracks[1].verdict, Verdict::kManipulated);
}

TEST(Judge, APasserbyWithoutEnoughFacesDoesNotDecide) {
  auto faces = Clip(1, {-3, -3, -3, -3});
  faces.push_back(FaceWith(2, 1.0, 9));
  EXPECT_EQ(ReportOf(faces, 4).verdict, Verdict::kNoManipulationFound);
}

TEST(Judge, InACrowdEachAccusationNeedsMoreEvidence) {
  // Odds of 25 to 1 pass alone (19 to 1 are needed), not as one of ten.
  const double logit = std::log(25.0);
  EXPECT_EQ(ReportOf(Clip(1, {logit, logit, logit}), 3).verdict, Verdict::kManipulated);
  auto faces = Clip(1, {logit, logit, logit});
  for (int track = 2; track <= 10; ++track)
    for (auto& face : Clip(track, {-3, -3, -3})) faces.push_back(face);
  const Report crowd = ReportOf(faces, 3);
  EXPECT_EQ(crowd.verdict, Verdict::kInconclusive);
  EXPECT_THAT(crowd.reasons, ElementsAre(Reason::kManyFaces));
}

TEST(Judge, TheBestFaceIsTheMostTellingUsableOne) {
  auto faces = Clip(1, {-3, 1, -2});
  faces.push_back(FaceWith(1, 1.5, 12, {"dark"}));
  const Report report = ReportOf(faces, 4);
  EXPECT_DOUBLE_EQ(report.tracks[0].best.time, 0.5);
  EXPECT_THAT(report.tracks[0].reasons, Not(Contains(Reason::kFewFaces)));
}

TEST(Judge, HoldsATrackOfManyFacesToItsOwnOperatingPoint) {
  const OperatingPoints points{.face = {.thresholds = kThresholds},
                               .tracks = {{.faces = 4,
                                           .calibration = {.fitted = true, .slope = 2, .intercept = 0},
                                           .thresholds = {0.9, 0.4, 0.01}},
                                          {.faces = 20,
                                           .calibration = {.fitted = true, .slope = 3, .intercept = 0},
                                           .thresholds = {0.8, 0.5, 0.01}}}};
  const auto judged = [&](int faces) {
    Report report;
    for (int i = 0; i < faces; ++i) report.faces.push_back(FaceWith(1, 0.5 * i, 1.5));
    report.sampling.frames_analysed = faces;
    JudgeReport(report, points);
    return report;
  };
  EXPECT_EQ(judged(3).verdict, Verdict::kInconclusive);
  EXPECT_EQ(judged(4).verdict, Verdict::kManipulated);
  EXPECT_NEAR(*judged(4).score, 1 / (1 + std::exp(-3)), 1e-12);
  EXPECT_EQ(judged(4).thresholds.manipulated, 0.9);
  EXPECT_EQ(judged(4).tracks[0].good_faces, 4);
  EXPECT_EQ(judged(25).thresholds.manipulated, 0.8);
}

// training/tests/test_tracks.py has the same tracks: operating points of tracks are fitted by its rule.
TEST(Judge, JoinsATracksLogitsAsTrainingDoes) {
  const std::vector<std::pair<std::vector<double>, double>> tracks = {
      {{1.0}, 1.0},
      {{4.0, -1.0}, 1.5},
      {{4.0, 3.5, -2.0, 0.0}, 1.375},
      {{4.0, 0.0, 3.5, 0.0, 5.0, -3.0, -3.0, -3.0, -3.0, -3.0, -3.0, -3.0}, -0.25},
      {{4.0, -1.0, 3.5, -1.0, 5.0, -3.0, -3.0, -3.0, -3.0, -3.0, -3.0, -3.0}, -0.875},
      {{-2.0, -2.0, -2.0, -2.0, -2.0, -2.0, -2.0, -2.0, -2.0, 6.0}, -1.2}};
  for (const auto& [logits, expected] : tracks) {
    const Report report = ReportOf(Clip(1, logits), static_cast<std::int64_t>(logits.size()));
    EXPECT_NEAR(*report.tracks[0].logit, expected, 1e-12) << logits.size();
  }
  std::vector<double> logits(24, -4.0);
  std::fill_n(logits.begin(), 3, 4.0);
  EXPECT_NEAR(*ReportOf(Clip(1, logits), 24).tracks[0].logit, -2.0, 1e-12);
}

std::vector<FaceReport> Drawn(std::vector<FaceReport> faces, const std::vector<double>& drawing) {
  for (std::size_t i = 0; i < faces.size(); ++i) faces[i].quality.drawing = drawing[i];
  return faces;
}

TEST(Judge, ADrawingIsOutOfScopeWhateverItsScore) {
  for (const double logit : {-6.0, 0.0, 6.0}) {
    const Report report = ReportOf(Drawn(Clip(1, {logit}), {0.9}), 1);
    EXPECT_EQ(report.verdict, Verdict::kInconclusive);
    EXPECT_THAT(report.reasons, ElementsAre(Reason::kNotAPhoto));
    EXPECT_THAT(report.tracks[0].segments, IsEmpty());
    EXPECT_TRUE(report.score);
  }
}

TEST(Judge, AFewOddFramesMakeNoDrawing) {
  const auto faces = Clip(1, {4, 4, 4, 4, 4});
  EXPECT_EQ(ReportOf(Drawn(faces, {1, 0, 0, 0, 1}), 5).verdict, Verdict::kManipulated);
  EXPECT_EQ(ReportOf(Drawn(faces, {1, 0, 1, 0, 1}), 5).verdict, Verdict::kInconclusive);
}

TEST(Judge, ADrawingBesideAPersonDoesNotCount) {
  std::vector<FaceReport> faces = Clip(1, {-4, -4, -4});
  for (const FaceReport& face : Drawn(Clip(2, {6, 6, 6}), {1, 1, 1})) faces.push_back(face);
  const Report report = ReportOf(faces, 3);
  EXPECT_EQ(report.verdict, Verdict::kNoManipulationFound);
  EXPECT_THAT(report.reasons, IsEmpty());
  EXPECT_EQ(JudgedTracks(report.tracks), 1);
  EXPECT_THAT(report.tracks[1].reasons, ElementsAre(Reason::kNotAPhoto));
}

TEST(Judge, FacesThatDoNotCountSayNothingOfDrawings) {
  std::vector<FaceReport> faces = Clip(1, {-4, -4, -4, -4});
  for (const double time : {3.0, 3.5, 4.0, 4.5, 5.0}) faces.push_back(FaceWith(1, time, -4, {"small"}));
  for (std::size_t i = 4; i < faces.size(); ++i) faces[i].quality.drawing = 1;
  EXPECT_EQ(ReportOf(faces, 9).verdict, Verdict::kNoManipulationFound);
}

TEST(Judge, ScoresOfUnknownWorthGiveNoVerdict) {
  for (const double logit : {-6.0, 0.0, 6.0}) {
    Report report;
    report.faces = Clip(1, {logit, logit, logit});
    report.sampling.frames_analysed = 3;
    JudgeReport(report, {.face = {.thresholds = kThresholds}, .calibrated = false});
    EXPECT_EQ(report.verdict, Verdict::kInconclusive);
    EXPECT_THAT(report.reasons, ElementsAre(Reason::kNotCalibrated));
    EXPECT_TRUE(report.score);
    EXPECT_THAT(report.tracks[0].segments, IsEmpty());
  }
}

/// Of an ensemble: the mean of two members, the first of which is calibrated by a slope of 2.
OperatingPoints PointsOfTwo() {
  OperatingPoints points{.face = {.thresholds = kThresholds}};
  points.members = {{.face = {.calibration = {.fitted = true, .slope = 2}, .thresholds = kThresholds}},
                    {.face = {.thresholds = kThresholds}}};
  return points;
}

TEST(Judge, StatesWhatEachMemberSaysOfTheFacesThatDecide) {
  // Persistent evidence: of the twelve faces the ten highest decide, which leaves out the two with -9.
  std::vector<FaceReport> faces = Clip(1, {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, -9, -9});
  for (FaceReport& face : faces) face.members = {{.logit = *face.logit - 3}, {.logit = *face.logit + 3}};
  Report report;
  report.faces = faces;
  report.sampling.frames_analysed = 12;
  JudgeReport(report, PointsOfTwo());
  ASSERT_EQ(report.members.size(), 2u);
  EXPECT_NEAR(*report.logit, 5, 1e-9);
  EXPECT_NEAR(report.members[0].logit, 2, 1e-9);
  EXPECT_NEAR(report.members[0].score, 1 / (1 + std::exp(-4.0)), 1e-9) << "by its own calibration";
  EXPECT_NEAR(report.members[1].logit, 8, 1e-9);
  EXPECT_EQ(report.tracks[0].members[1].logit, report.members[1].logit);
}

TEST(Judge, StatesNoMembersOfASingleModel) {
  const Report report = ReportOf(Clip(1, {4, 4, 4}), 3);
  EXPECT_THAT(report.members, IsEmpty());
  EXPECT_THAT(report.tracks[0].members, IsEmpty());
}

}  // namespace
}  // namespace unmask
