// SPDX-License-Identifier: Apache-2.0
#include "compat/check/check.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace unmask::compat {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<FileCheck> Three() {
  FileCheck equal{.file = "a.mp4", .theirs = Judgement{"fake", 0.75}, .ours = Judgement{"fake", 0.5}};
  FileCheck other{.file = "b\x1b.mp4", .theirs = Judgement{"fake", 0.875}, .ours = Judgement{"real", 0.125}};
  other.differences = {{Difference::Kind::kMissing, "meta.step", "12", ""},
                       {Difference::Kind::kAdded, "unmask", "", "{}"}};
  FileCheck gone{.file = "c.mp4", .unreachable = "http://old: refused"};
  return {equal, other, gone};
}

TEST(CheckSummary, CountsShapesLabelsAndScores) {
  const auto summary = Summarise(Three());
  EXPECT_EQ(summary.files, 3u);
  EXPECT_EQ(summary.unreachable, 1u);
  EXPECT_EQ(summary.same_shape, 1u);
  EXPECT_EQ(summary.judged, 2u);
  EXPECT_EQ(summary.same_label, 1u);
  EXPECT_DOUBLE_EQ(summary.mean_difference, 0.5);
  EXPECT_DOUBLE_EQ(summary.largest_difference, 0.75);
}

TEST(CheckSummary, OfNothingIsZero) { EXPECT_EQ(Summarise({}).mean_difference, 0); }

TEST(CheckText, HasALineAFileAndEscapesWhatItQuotes) {
  const auto text = CheckText({.contract = Contract::kPredictApi, .against = "http://old"}, Three());
  EXPECT_THAT(text, HasSubstr("a.mp4: fake 0.7500, ours fake 0.5000 (-0.2500); "));
  EXPECT_THAT(text, HasSubstr("b\\x1b.mp4: fake 0.8750, ours real 0.1250 (-0.7500, another label)"));
  EXPECT_THAT(text, HasSubstr("  ! missing meta.step: 12, ours absent\n"));
  EXPECT_THAT(text, HasSubstr("    added unmask: absent, ours {}\n"));
  EXPECT_THAT(text, HasSubstr("1 of 2 with the same shape (1 not compared); 1 of 2 with the same label "
                              "(50.0 %); scores differ by 0.5000 on average, 0.7500 at most\n"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(CheckJson, SaysTheSame) {
  const auto json =
      nlohmann::json::parse(CheckJson({.contract = Contract::kPredictApi, .against = "http://old"}, Three()));
  EXPECT_EQ(json["contract"], "predict-api");
  EXPECT_EQ(json["files"][0]["score_difference"], -0.25);
  EXPECT_EQ(json["files"][1]["same_label"], false);
  EXPECT_EQ(json["files"][1]["differences"][0]["where"], "meta.step");
  EXPECT_EQ(json["files"][2]["unreachable"], "http://old: refused");
  EXPECT_EQ(json["summary"]["largest_difference"], 0.75);
  const auto nothing = nlohmann::json::parse(CheckJson({}, {}));
  EXPECT_EQ(nothing["summary"]["mean_difference"], nullptr);
}

TEST(CheckSendable, WantsAFileAndWhereItDecidesTheRouteAKnownName) {
  EXPECT_EQ(CheckSendable(Contract::kPredictApi, "/none").error().code, ErrorCode::kNotFound);
  const auto file = std::filesystem::temp_directory_path() / ("unmask-check-" + std::to_string(::getpid()));
  std::ofstream(file) << "x";
  EXPECT_TRUE(CheckSendable(Contract::kPredictApi, file).has_value());
  EXPECT_EQ(CheckSendable(Contract::kMicroserviceV2, file).error().code, ErrorCode::kUnsupportedMedia);
  std::filesystem::remove(file);
}

TEST(Checker, SaysWhichServiceIsUnreachable) {
  const auto file = std::filesystem::temp_directory_path() / ("unmask-check-" + std::to_string(::getpid()));
  std::ofstream(file) << "x";
  Checker checker({.contract = Contract::kPredictApi, .against = "http://127.0.0.1:1", .ours = "http://x"});
  const auto check = checker.Check(file, {});
  EXPECT_THAT(check.unreachable, HasSubstr("http://127.0.0.1:1: "));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace unmask::compat
