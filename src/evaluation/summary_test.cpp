// SPDX-License-Identifier: Apache-2.0
#include "evaluation/summary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluation/example_evaluation.hpp"

namespace unmask {
namespace {

using testing::HasSubstr;

Evaluation Summarised(const Example& example, const SummaryOptions& options = ExampleOptions()) {
  return Summarise(example.dataset, example.passes, options);
}

TEST(Summarise, CountsEveryFileOfBothClasses) {
  const Evaluation evaluation = Summarised(ExampleOf(100, false));
  const Figures& figures = evaluation.figures;
  for (const ClassCounts* counts : {&figures.authentic, &figures.manipulated}) {
    EXPECT_EQ(counts->files, 50U);
    EXPECT_EQ(counts->manipulated + counts->no_manipulation_found + counts->inconclusive + counts->failed,
              50U);
  }
  EXPECT_EQ(figures.authentic.failed, 1U);
  EXPECT_EQ(figures.manipulated.no_face, 1U);
  EXPECT_EQ(figures.manipulated.scored, 49U);
  ASSERT_EQ(evaluation.skipped.kinds().size(), 1U);
  EXPECT_EQ(evaluation.skipped.kinds()[0].reason, "undecodable");
  EXPECT_NEAR(*figures.no_face.value, 1.0 / 99, 1e-12);
}

TEST(Summarise, GivesEveryFigureWithAnInterval) {
  const Figures figures = Summarised(ExampleOf(100, false)).figures;
  for (const Estimate* estimate :
       {&figures.auc, &figures.average_precision, &figures.equal_error_rate, &figures.tpr_at_fpr_1,
        &figures.tpr_at_fpr_01, &figures.log_loss, &figures.brier, &figures.ece, &figures.no_face,
        &figures.decisions.error, &figures.thresholds[0].fpr, &figures.thresholds[1].tpr}) {
    ASSERT_TRUE(estimate->value);
    ASSERT_TRUE(estimate->interval);
    EXPECT_LE(estimate->interval->low, estimate->interval->high);
  }
  EXPECT_GT(*figures.auc.value, 0.9);
  EXPECT_LE(figures.auc.interval->low, *figures.auc.value);
  EXPECT_GE(figures.auc.interval->high, *figures.auc.value);
}

TEST(Summarise, CountsClustersOfScoredFiles) {
  EXPECT_EQ(Summarised(ExampleOf(100, false)).run.clusters, 49U);  // both files of one cluster have no score
}

TEST(Summarise, ThresholdsAndVerdictsAgree) {
  const Figures figures = Summarised(ExampleOf(200, false)).figures;
  EXPECT_EQ(figures.thresholds[0].name, "manipulated");
  EXPECT_EQ(figures.thresholds[0].matrix.true_positives, figures.manipulated.manipulated);
  EXPECT_EQ(figures.thresholds[1].matrix.true_negatives, figures.authentic.no_manipulation_found);
}

TEST(Summarise, CountsAFileByTheThresholdsThatDecidedIt) {
  Example example = ExampleOf(200, false);
  const Thresholds of_tracks{.manipulated = 0.97, .clear = 0.4};
  for (std::size_t i = 100; i < 200; ++i) {
    SampleOutcome& outcome = example.passes[0].outcomes[i];
    outcome = OutcomeWith(*outcome.logit, of_tracks);
    outcome.thresholds = of_tracks;
  }
  const Figures figures = Summarised(example).figures;
  EXPECT_EQ(figures.thresholds[0].matrix.true_positives, figures.manipulated.manipulated);
  EXPECT_EQ(figures.thresholds[0].matrix.false_positives, figures.authentic.manipulated);
  EXPECT_EQ(figures.thresholds[1].matrix.true_negatives, figures.authentic.no_manipulation_found);
  EXPECT_EQ(figures.thresholds[0].by_another, 100U);
  EXPECT_EQ(figures.thresholds[0].threshold, 0.9);
}

TEST(Summarise, CountsFilesByReason) {
  const Figures figures = Summarised(ExampleOf(100, false)).figures;
  EXPECT_EQ(figures.manipulated.reasons.at("no_face"), 1U);
  EXPECT_EQ(figures.manipulated.reasons.at("between_thresholds"), figures.manipulated.inconclusive - 1);
}

TEST(Summarise, ComparesGroupsAndNamesTheWorst) {
  Example example = ExampleOf(100, false);
  for (std::size_t i = 0; i < 100; ++i)  // in group b the detector is blind
    if (example.dataset.samples[i].group == "b") example.passes[0].outcomes[i] = OutcomeWith(0.1 * (i % 7));
  const Evaluation evaluation = Summarised(example);
  ASSERT_EQ(evaluation.groups.size(), 2U);
  EXPECT_EQ(evaluation.groups[0].name, "b");
  ASSERT_FALSE(evaluation.worst.empty());
  EXPECT_EQ(evaluation.worst[0].figure, "auc");
  EXPECT_EQ(evaluation.worst[0].group, "b");
  SummaryOptions strict = ExampleOptions();
  strict.min_group = 1000;
  EXPECT_TRUE(Summarised(example, strict).worst.empty());
}

TEST(Summarise, HasNoGroupsWhenTheFilesHaveNone) {
  Example example = ExampleOf(20, false);
  for (Sample& sample : example.dataset.samples) sample.group.clear();
  EXPECT_TRUE(Summarised(example).groups.empty());
}

TEST(Summarise, CountsFlipsAgainstTheCleanPass) {
  Example example = ExampleOf(100, true);
  example.passes[1].outcomes = example.passes[0].outcomes;
  Evaluation evaluation = Summarised(example);
  ASSERT_EQ(evaluation.degraded.size(), 1U);
  EXPECT_EQ(*evaluation.degraded[0].flips.value, 0);
  EXPECT_EQ(*evaluation.degraded[0].auc_change.value, 0);
  EXPECT_EQ(evaluation.degraded[0].auc_change.interval, (Interval{0, 0}));

  example.passes[0].outcomes[2] = OutcomeWith(-5);
  example.passes[1].outcomes[2] = OutcomeWith(5);  // to the opposite
  example.passes[0].outcomes[3] = OutcomeWith(5);
  example.passes[1].outcomes[3] = OutcomeWith(1);                                      // to inconclusive
  example.passes[1].outcomes[4] = {.error = Error{ErrorCode::kInternal, "", "", ""}};  // not compared
  evaluation = Summarised(example);
  EXPECT_NEAR(*evaluation.degraded[0].flips.value, 2.0 / 98, 1e-12);
  EXPECT_NEAR(*evaluation.degraded[0].opposite_flips.value, 1.0 / 98, 1e-12);
  EXPECT_LT(*evaluation.degraded[0].auc_change.value, 0);
}

TEST(Summarise, OfOneClassSaysWhyFiguresAreMissing) {
  Example example = ExampleOf(40, true);
  for (Sample& sample : example.dataset.samples) sample.manipulated = false;
  const Evaluation evaluation = Summarised(example);
  EXPECT_EQ(evaluation.figures.auc.value.error(), "no manipulated file has a score");
  EXPECT_FALSE(evaluation.figures.auc.interval);
  EXPECT_FALSE(evaluation.figures.thresholds[0].tpr.value);
  EXPECT_TRUE(evaluation.figures.thresholds[0].fpr.value);
  EXPECT_TRUE(evaluation.figures.brier.value);
  EXPECT_TRUE(evaluation.curves.roc.empty());
  EXPECT_FALSE(evaluation.degraded[0].auc_change.value);
}

TEST(Summarise, OfNothingScoredHasNoFiguresButCounts) {
  Example example = ExampleOf(4, false);
  for (SampleOutcome& outcome : example.passes[0].outcomes) outcome = {.reasons = {"no_face"}};
  const Figures figures = Summarised(example).figures;
  EXPECT_EQ(figures.auc.value.error(), "no file has a score");
  EXPECT_EQ(figures.brier.value.error(), "no file has a score");
  EXPECT_EQ(*figures.no_face.value, 1);
  EXPECT_EQ(figures.decisions.error.value.error(), "no file got an answer");
}

TEST(Summarise, RanksByLogitsWhereProbabilitiesHaveNoDigitsLeft) {
  Example example;
  example.passes.push_back({"clean", "", {}});
  for (const auto& [fake, logit] : {std::pair(false, 40.0), std::pair(true, 50.0)}) {
    example.dataset.samples.push_back({.name = "x", .manipulated = fake});
    example.passes[0].outcomes.push_back(OutcomeWith(logit));
  }
  EXPECT_EQ(*Summarised(example).figures.auc.value, 1);
  for (SampleOutcome& outcome : example.passes[0].outcomes) outcome.logit.reset();
  EXPECT_EQ(*Summarised(example).figures.auc.value, 0.5);
}

}  // namespace
}  // namespace unmask
