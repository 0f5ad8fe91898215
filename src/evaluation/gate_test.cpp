// SPDX-License-Identifier: Apache-2.0
#include "evaluation/gate.hpp"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t kFiles = 400;

SampleOutcome Scored(double logit) {
  SampleOutcome outcome;
  outcome.logit = logit;
  outcome.score = 1 / (1 + std::exp(-logit));
  return outcome;
}

/// A detector whose logits are calibrated: those of either class scatter by 2 around +2 and -2. Both passes
/// are alike. Files alternate: real, fake; the first half is of group "a".
Measured Good(int version = 1) {
  Measured measured;
  measured.card.name = "face";
  measured.card.version = version;
  measured.card.sha256 = std::string(64, static_cast<char>('0' + version));
  measured.passes = {{"clean", "", {}}, {"jpeg_40", "", {}}};
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 2);
  for (std::size_t i = 0; i < kFiles; ++i) {
    measured.dataset.samples.push_back(
        {.name = std::to_string(i), .manipulated = i % 2 == 1, .group = i < kFiles / 2 ? "a" : "b"});
    const double logit = (i % 2 == 1 ? 2 : -2) + noise(random);
    for (Pass& pass : measured.passes) pass.outcomes.push_back(Scored(logit));
  }
  return measured;
}

/// The same with other logits in one pass, for the files that `which` names.
template <typename Change, typename Which>
Measured Changed(std::size_t pass, Change change, Which which) {
  Measured measured = Good(2);
  for (std::size_t i = 0; i < kFiles; ++i) {
    SampleOutcome& outcome = measured.passes[pass].outcomes[i];
    if (which(i)) outcome = Scored(change(*outcome.logit, i));
  }
  return measured;
}
bool Every(std::size_t) { return true; }

std::vector<std::string> WorseIn(const GateReport& report) {
  std::vector<std::string> names;
  for (const GateFigure& figure : report.figures)
    if (figure.worse) names.push_back(figure.name);
  return names;
}

TEST(Gate, LetsAnEqualVersionPassWithNoDifferenceAtAll) {
  const auto report = CompareVersions(Good(2), Good(1), {});
  EXPECT_TRUE(report.passed()) << GateToText(report);
  EXPECT_EQ(report.real, kFiles / 2);
  EXPECT_EQ(report.clusters, kFiles);
  ASSERT_EQ(report.figures.size(), 5u);
  for (const GateFigure& figure : report.figures) {
    EXPECT_EQ(figure.change, 0.0) << figure.name;
    EXPECT_EQ(figure.interval, (Interval{0, 0})) << figure.name;
  }
}

TEST(Gate, RefusesAVersionWithNoiseInItsLogits) {
  std::mt19937 random(9);
  std::normal_distribution<double> noise(0, 6);
  const auto noisy = Changed(
      0, [&](double logit, std::size_t) { return logit + noise(random); }, Every);
  const auto report = CompareVersions(noisy, Good(1), {});
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(WorseIn(report), testing::IsSupersetOf({"auc", "ece", "worst_group_auc"}));
  EXPECT_THAT(report.refusals.front(), HasSubstr("auc is worse: 0."));
}

TEST(Gate, LetsABetterVersionPass) {
  const auto better = Changed(
      0, [](double logit, std::size_t i) { return logit + (i % 2 == 1 ? 2 : -2); }, Every);
  const auto report = CompareVersions(better, Good(1), {});
  EXPECT_TRUE(report.passed()) << GateToText(report);
  EXPECT_GT(report.figures.front().interval->low, 0);
  EXPECT_THAT(GateToText(report), HasSubstr("better"));
}

TEST(Gate, ToleratesALossUpToItsOptionAndNoLarger) {
  const auto noisy = [](double most) {
    std::mt19937 random(9);
    std::normal_distribution<double> noise(0, most);
    return Changed(
        1, [&](double logit, std::size_t) { return logit + noise(random); }, Every);
  };
  const auto strict = CompareVersions(noisy(3), Good(1), {});
  ASSERT_THAT(WorseIn(strict), ElementsAre("auc_jpeg_40"));
  const double loss = -*strict.figures.back().change;
  const auto tolerant = CompareVersions(noisy(3), Good(1), {.tolerance = loss + 1e-6});
  EXPECT_TRUE(tolerant.passed()) << GateToText(tolerant);
  EXPECT_TRUE(tolerant.figures.back().lost);
  EXPECT_THAT(GateToText(tolerant), HasSubstr("worse by no more than is tolerated"));
  EXPECT_EQ(nlohmann::json::parse(GateToJson(tolerant))["tolerance"], loss + 1e-6);
  EXPECT_FALSE(CompareVersions(noisy(3), Good(1), {.tolerance = loss - 1e-6}).passed());
}

TEST(Gate, FindsWhatIsWorseInOneFigureAlone) {
  const auto sure = Changed(
      0, [](double logit, std::size_t) { return 8 * logit; }, Every);
  EXPECT_THAT(WorseIn(CompareVersions(sure, Good(1), {})), ElementsAre("ece")) << "the same order, too sure";
  const auto fragile = Changed(
      1, [](double logit, std::size_t i) { return i % 3 == 0 ? -logit : logit; }, Every);
  EXPECT_THAT(WorseIn(CompareVersions(fragile, Good(1), {})), ElementsAre("auc_jpeg_40"));
  // Group b loses what group a gains.
  const auto unfair = Changed(
      0,
      [](double logit, std::size_t i) {
        return logit + (i < kFiles / 2) * (i % 2 == 1 ? 2 : -2) - (i >= kFiles / 2) * (i % 2 == 1 ? 1 : -1);
      },
      Every);
  EXPECT_THAT(WorseIn(CompareVersions(unfair, Good(1), {})), testing::Contains("worst_group_auc"));
}

TEST(Gate, RefusesWhatCannotBeMeasured) {
  Measured candidate = Good(2);
  Measured stable = Good(1);
  for (Measured* one : {&candidate, &stable})
    for (Sample& sample : one->dataset.samples) sample.manipulated = false;
  const auto report = CompareVersions(candidate, stable, {});
  EXPECT_FALSE(report.passed());
  EXPECT_THAT(report.refusals, testing::Contains(HasSubstr("0 fake files are too few")));
  EXPECT_THAT(report.refusals, testing::Contains(HasSubstr("auc could not be measured")));
  EXPECT_FALSE(CompareVersions(Good(2), Good(1), {.least_files = 201}).passed());
}

TEST(Gate, SaysWhenThereAreNoGroupsAndDoesNotRefuseForThat) {
  Measured candidate = Good(2);
  Measured stable = Good(1);
  for (Measured* one : {&candidate, &stable})
    for (Sample& sample : one->dataset.samples) sample.group.clear();
  const auto report = CompareVersions(candidate, stable, {});
  EXPECT_TRUE(report.passed()) << GateToText(report);
  EXPECT_THAT(GateToText(report), HasSubstr("not measured: no group has 20 files of each class"));
}

TEST(Gate, RefusesAVersionThatFailsOnMoreFiles) {
  Measured candidate = Good(2);
  candidate.passes[0].outcomes[5] = {.error = Error{ErrorCode::kInternal, "no", "", ""}};
  const auto report = CompareVersions(candidate, Good(1), {});
  EXPECT_THAT(report.refusals, ElementsAre("it gives no score for 1 pictures, before 0"));
  EXPECT_THAT(CompareVersions(Good(2), candidate, {}).refusals, IsEmpty());
}

TEST(Gate, KeepsFilesOfOneOriginTogether) {
  Measured candidate = Good(2);
  for (std::size_t i = 0; i < kFiles; ++i) candidate.dataset.samples[i].cluster = std::to_string(i / 4);
  EXPECT_EQ(CompareVersions(candidate, Good(1), {}).clusters, kFiles / 4);
}

TEST(Gate, RepeatsWithItsSeed) {
  std::mt19937 random(9);
  std::normal_distribution<double> noise(0, 1);
  const auto other = Changed(
      0, [&](double logit, std::size_t) { return logit + noise(random); }, Every);
  const auto json = [&](std::uint64_t seed) {
    return GateToJson(CompareVersions(other, Good(1), {.bootstrap_rounds = 200, .seed = seed}));
  };
  EXPECT_EQ(json(1), json(1));
  EXPECT_NE(json(1), json(2));
}

TEST(Gate, PrintsItsDecisionForProgramsToo) {
  const auto json = nlohmann::json::parse(GateToJson(CompareVersions(Good(2), Good(1), {})));
  EXPECT_EQ(json.at("schema"), "unmask.gate/1");
  EXPECT_EQ(json.at("passed"), true);
  EXPECT_EQ(json.at("candidate").at("version"), 2);
  EXPECT_EQ(json.at("stable").at("sha256"), std::string(64, '1'));
  EXPECT_EQ(json.at("figures").at(2).at("name"), "ece");
  EXPECT_EQ(json.at("figures").at(2).at("better"), "lower");
  EXPECT_EQ(json.at("bootstrap").at("rounds"), 2000);
}

TEST(GateVariants, AreThoseOfTheCard) {
  std::vector<std::string> names;
  for (const Variant& variant : GateVariants()) names.push_back(variant.name);
  EXPECT_THAT(names, ElementsAre("jpeg_40", "scale_0.5", "h264_crf_32"));
}

}  // namespace
}  // namespace unmask
