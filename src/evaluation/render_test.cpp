// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "evaluation/evaluation_html.hpp"
#include "evaluation/evaluation_json.hpp"
#include "evaluation/evaluation_text.hpp"
#include "evaluation/example_evaluation.hpp"

namespace unmask {
namespace {

using testing::HasSubstr;
using testing::Not;

Evaluation ExampleEvaluation() {
  Example example = ExampleOf(100, true);
  Evaluation evaluation = Summarise(std::move(example.dataset), example.passes, ExampleOptions());
  evaluation.run.input = "crops";
  evaluation.run.model = ModelFacts{.name = "face", .version = 3, .sha256 = "ab", .calibrated = true};
  evaluation.run.paths = {"faces.tar"};
  evaluation.run.seconds = 2;
  evaluation.run.files_per_second = 50;
  evaluation.notes = {"Take note."};
  return evaluation;
}

Evaluation OneClass() {
  Example example = ExampleOf(40, false);
  for (Sample& sample : example.dataset.samples) sample.manipulated = false;
  return Summarise(std::move(example.dataset), example.passes, ExampleOptions());
}

Evaluation Evil() {
  const std::string evil = "<script>alert(\"x\")</script>\x1b[31m\xFF&'";
  Example example = ExampleOf(40, true);
  for (Sample& sample : example.dataset.samples) sample.name = sample.group = sample.cluster = evil;
  example.dataset.samples[5].group = "other";
  example.dataset.skipped.Add("bad_line", evil, evil);
  example.dataset.left_out.Add("limit", evil, evil);
  example.dataset.notes = {evil};
  example.passes[1].name = example.passes[1].description = evil;
  Evaluation evaluation = Summarise(std::move(example.dataset), example.passes, ExampleOptions());
  evaluation.run.paths = {evil};
  evaluation.run.split = evaluation.run.list = evil;
  evaluation.run.model = ModelFacts{.name = evil, .version = 1, .sha256 = evil, .calibrated = false};
  evaluation.run.software = {evil, evil, evil};
  return evaluation;
}

TEST(EvaluationJson, HasEveryFigure) {
  const auto json = nlohmann::json::parse(EvaluationJson(ExampleEvaluation()));
  EXPECT_EQ(json["schema"], "unmask.evaluation/1");
  for (const char* name : {"auc", "average_precision", "eer", "tpr_at_fpr_1", "tpr_at_fpr_01", "log_loss",
                           "brier", "ece", "aurc", "no_face"}) {
    EXPECT_TRUE(json["figures"][name]["value"].is_number()) << name;
    EXPECT_TRUE(json["degraded"][0]["figures"][name].contains("value")) << name;
  }
  EXPECT_EQ(json["figures"]["auc"]["interval"].size(), 2U);
  EXPECT_TRUE(json["figures"]["thresholds"]["manipulated"]["fpr"]["value"].is_number());
  EXPECT_EQ(json["figures"]["counts"]["real"]["files"], 50);
  EXPECT_EQ(json["groups"].size(), 2U);
  EXPECT_EQ(json["degraded"][0]["name"], "jpeg_40");
  EXPECT_TRUE(json["degraded"][0]["flips"]["value"].is_number());
  EXPECT_EQ(json["skipped"][0]["reason"], "undecodable");
  EXPECT_EQ(json["run"]["model"]["version"], 3);
  EXPECT_EQ(json["curves"]["reliability"].size(), 10U);
  EXPECT_GE(json["curves"]["roc"]["points"].size(), 2U);
}

TEST(EvaluationJson, SaysWhyAFigureIsNull) {
  const auto json = nlohmann::json::parse(EvaluationJson(OneClass()));
  EXPECT_TRUE(json["figures"]["auc"]["value"].is_null());
  EXPECT_EQ(json["figures"]["auc"]["reason"], "no manipulated file has a score");
  EXPECT_TRUE(json["run"]["model"].is_null());
}

TEST(EvaluationJson, ThinsLongCurves) {
  Evaluation evaluation = ExampleEvaluation();
  evaluation.curves.roc.assign(5000, {0.5, 0.5, 0.5});
  evaluation.curves.roc.back() = {1, 1, 0};
  const auto json = nlohmann::json::parse(EvaluationJson(evaluation));
  EXPECT_EQ(json["curves"]["roc"]["of"], 5000);
  EXPECT_EQ(json["curves"]["roc"]["points"].size(), 1000U);
  EXPECT_EQ(json["curves"]["roc"]["points"].back()["fpr"], 1);
}

TEST(EvaluationJson, IsValidWhateverTheNames) { EXPECT_TRUE(nlohmann::json::accept(EvaluationJson(Evil()))); }

TEST(EvaluationHtml, HasEveryPlotAndNoScript) {
  const std::string html = EvaluationHtml(ExampleEvaluation());
  for (const char* label :
       {"ROC curve", "DET curve", "Reliability diagram", "Histogram: score", "Histogram: logit",
        "Risk-coverage curve", "AUC under degradation", "Verdicts that flip", "AUC by group"})
    EXPECT_THAT(html, HasSubstr(std::string("aria-label=\"") + label));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, HasSubstr("Take note."));
  for (const char* bad : {"<script", "javascript:", "url(", "@import", "http://", "https://"})
    EXPECT_THAT(html, Not(HasSubstr(bad))) << bad;
}

TEST(EvaluationHtml, EscapesEverything) {
  const std::string html = EvaluationHtml(Evil());
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
  EXPECT_THAT(html, Not(HasSubstr("\xFF")));
}

TEST(EvaluationHtml, SaysWhyAFigureIsMissing) {
  const std::string html = EvaluationHtml(OneClass());
  EXPECT_THAT(html, HasSubstr("no manipulated file has a score"));
  EXPECT_THAT(html, Not(HasSubstr("aria-label=\"ROC curve\"")));
}

TEST(EvaluationText, HasFiguresGroupsDegradationsAndWhatWasSkipped) {
  const std::string text = EvaluationText(ExampleEvaluation());
  for (const char* words : {"face:3", "AUC", "found at 1 % false alarms", "inconclusive", "jpeg_40",
                            "worst auc", "undecodable", "note: Take note.", "50.0 files a second"})
    EXPECT_THAT(text, HasSubstr(words));
}

TEST(EvaluationText, IsSafeToPrint) {
  const std::string text = EvaluationText(Evil());
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\xFF")));
}

TEST(FormatEstimate, ShowsValueIntervalOrReason) {
  EXPECT_EQ(FormatEstimate({0.93512, Interval{0.9, 0.95}}, 3), "0.935 (0.900 – 0.950)");
  EXPECT_EQ(FormatEstimate({0.5, std::nullopt}, 1), "0.5");
  EXPECT_EQ(FormatEstimate({NoFigure("why"), std::nullopt}), "– (why)");
  EXPECT_EQ(FormatPercent({0.5, Interval{0.25, 0.75}}), "50.0 % (25.0 – 75.0)");
}

}  // namespace
}  // namespace unmask
