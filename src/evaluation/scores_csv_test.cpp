// SPDX-License-Identifier: Apache-2.0
#include "evaluation/scores_csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluation/csv_reader.hpp"
#include "evaluation/example_evaluation.hpp"

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Thresholds kThresholds{.manipulated = 0.9, .clear = 0.6};

Dataset SamplesWith(const std::vector<std::vector<std::string>>& cells) {
  Dataset dataset;
  for (const auto& row : cells) dataset.samples.push_back({.name = "f", .cells = row});
  return dataset;
}

TEST(ScoresCsv, ReadsBackWithEveryDigit) {
  const Example example = ExampleOf(30, false);
  const std::string csv = ScoresCsv(example.dataset.samples, example.passes[0].outcomes);
  EXPECT_TRUE(csv.starts_with("path,label,group,score,logit,verdict,reasons\r\n"));
  const CsvTable table(csv);
  ASSERT_EQ(table.rows().size(), 30U);
  Dataset read = example.dataset;
  for (std::size_t i = 0; i < 30; ++i) {
    const CsvRow& row = table.rows()[i];
    EXPECT_EQ(table.Cell(row, "path"), example.dataset.samples[i].name);
    EXPECT_EQ(table.Cell(row, "label"), example.dataset.samples[i].manipulated ? "fake" : "real");
    for (const std::string& column : ScoreColumns())
      read.samples[i].cells.emplace_back(table.Cell(row, column));
  }
  const auto outcomes = OutcomesOfScores(read, kThresholds);
  ASSERT_EQ(outcomes.size(), 30U);
  for (std::size_t i = 0; i < 30; ++i) {
    const SampleOutcome& expected = example.passes[0].outcomes[i];
    EXPECT_EQ(outcomes[i].score, expected.score);
    EXPECT_EQ(outcomes[i].logit, expected.logit);
    EXPECT_EQ(outcomes[i].verdict, expected.verdict);
    EXPECT_EQ(outcomes[i].error.has_value(), expected.error.has_value());
    if (!expected.error) {
      EXPECT_EQ(outcomes[i].reasons, expected.reasons);
    }
  }
  EXPECT_EQ(outcomes[0].error->code, ErrorCode::kUndecodable);
}

TEST(ScoresCsv, QuotesAndDefusesCells) {
  const std::vector<Sample> samples = {{.name = "=cmd()", .group = "a,\"b\""}};
  EXPECT_THAT(ScoresCsv(samples, std::vector<SampleOutcome>(1)),
              HasSubstr("'=cmd(),real,\"a,\"\"b\"\"\",,,inconclusive,"));
}

TEST(OutcomesOfScores, JudgesByThresholdsWithoutVerdicts) {
  Dataset dataset = SamplesWith({{"0.95", "", "", ""},
                                 {"0.9", "", "", ""},
                                 {"0.7", "", "", ""},
                                 {"0.1", "2.5", "", ""},
                                 {"", "", "", ""}});
  const auto outcomes = OutcomesOfScores(dataset, kThresholds);
  ASSERT_EQ(outcomes.size(), 5U);
  EXPECT_EQ(outcomes[0].verdict, Verdict::kManipulated);
  EXPECT_EQ(outcomes[1].verdict, Verdict::kManipulated);
  EXPECT_EQ(outcomes[2].verdict, Verdict::kInconclusive);
  EXPECT_THAT(outcomes[2].reasons, ElementsAre("between_thresholds"));
  EXPECT_EQ(outcomes[3].verdict, Verdict::kNoManipulationFound);
  EXPECT_EQ(outcomes[3].logit, 2.5);
  EXPECT_THAT(outcomes[4].reasons, ElementsAre("no_score"));
}

TEST(OutcomesOfScores, CountsLinesThatMakeNoSense) {
  Dataset dataset = SamplesWith({{"high", "", "", ""},
                                 {"nan", "", "", ""},
                                 {"0.5x", "", "", ""},
                                 {"0.5", "-", "", ""},
                                 {"0.5", "", "guilty", ""},
                                 {"0.5", "", "inconclusive", "a b"}});
  const auto outcomes = OutcomesOfScores(dataset, kThresholds);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(dataset.samples.size(), 1U);
  EXPECT_THAT(outcomes[0].reasons, ElementsAre("a", "b"));
  EXPECT_EQ(dataset.skipped.kinds()[0].count, 5U);
}

}  // namespace
}  // namespace unmask
