// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/arguments.hpp"
#include "cli/collect.hpp"
#include "cli/model.hpp"
#include "cli/progress_bar.hpp"
#include "cli/result_format.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "unmask-cli-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  void Touch(const std::string& name) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << "x";
  }

  std::vector<std::string> Names(const Inputs& inputs) const {
    std::vector<std::string> names;
    for (const Input& input : inputs.files) names.push_back(fs::relative(input.path, root_).string());
    return names;
  }

  fs::path root_;
};

TEST_F(Folder, IsCollectedInDepthAndSorted) {
  for (const char* name : {"b.mp4", "a.jpg", "sub/z.webm", "sub/deep/y.png"}) Touch(name);
  EXPECT_EQ(Names(CollectInputs({root_.string()})),
            (std::vector<std::string>{"a.jpg", "b.mp4", "sub/deep/y.png", "sub/z.webm"}));
}

TEST_F(Folder, SkipsAndCountsWhatIsObviouslyNoMedia) {
  for (const char* name :
       {"a.mp4", "notes.TXT", "x.json", "song.mp3", ".hidden.mp4", ".git/config", "unknown", "odd.xyz"})
    Touch(name);
  const Inputs inputs = CollectInputs({root_.string()});
  EXPECT_EQ(Names(inputs), (std::vector<std::string>{"a.mp4", "odd.xyz", "unknown"}));
  EXPECT_EQ(inputs.skipped, 3U);
  EXPECT_EQ(inputs.hidden, 2U);
  EXPECT_EQ(DescribeSkipped(inputs),
            "3 files that are no picture or video by their extension and 2 hidden entries");
  EXPECT_EQ(DescribeSkipped({.files = {}, .skipped = 0, .hidden = 1}), "1 hidden entry");
  EXPECT_EQ(DescribeSkipped({}), "");
}

TEST_F(Folder, TakesNamedFilesWhateverTheyAre) {
  Touch(".notes.txt");
  const Inputs inputs = CollectInputs({(root_ / ".notes.txt").string(), (root_ / "missing").string()});
  ASSERT_EQ(inputs.files.size(), 2U);
  EXPECT_FALSE(inputs.files[0].error);
  EXPECT_FALSE(inputs.files[1].error);  // opening it will tell
  EXPECT_EQ(inputs.skipped, 0U);
}

TEST_F(Folder, SurvivesLoopsOfLinks) {
  Touch("sub/a.mp4");
  fs::create_directory_symlink(root_, root_ / "sub" / "loop");
  fs::create_directory_symlink(root_ / "sub", root_ / "twice");
  fs::create_symlink("nowhere", root_ / "dangling.mp4");
  EXPECT_EQ(Names(CollectInputs({root_.string()})), (std::vector<std::string>{"dangling.mp4", "sub/a.mp4"}));
}

TEST_F(Folder, WithoutMediaIsAnError) {
  Touch("notes.txt");
  const Inputs inputs = CollectInputs({root_.string()});
  ASSERT_EQ(inputs.files.size(), 1U);
  ASSERT_TRUE(inputs.files[0].error);
  EXPECT_EQ(inputs.files[0].error->code, ErrorCode::kNotFound);
}

TEST(Numbers, AreReadWholly) {
  EXPECT_EQ(*ParseNumber("2.5", 0, 10), 2.5);
  EXPECT_EQ(*ParseNumber("1e1", 0, 10), 10);
  for (const char* text : {"", " 1", "1 ", "1x", "inf", "nan", "-0.1", "10.1", "0x1"})
    EXPECT_FALSE(ParseNumber(text, 0, 10)) << text;
  EXPECT_EQ(*ParseWhole("7", 1, 9), 7);
  for (const char* text : {"", "0", "10", "1.0", "+1", "7 ", "99999999999999999999"})
    EXPECT_FALSE(ParseWhole(text, 1, 9)) << text;
}

TEST(Bytes, KnowUnits) {
  EXPECT_EQ(*ParseBytes("0"), 0U);
  EXPECT_EQ(*ParseBytes("512"), 512U);
  EXPECT_EQ(*ParseBytes("1k"), 1024U);
  EXPECT_EQ(*ParseBytes("2MB"), 2U << 20);
  EXPECT_EQ(*ParseBytes("3GiB"), std::uint64_t{3} << 30);
  EXPECT_EQ(*ParseBytes("1T"), std::uint64_t{1} << 40);
  for (const char* text : {"", "G", "-1", "1.5G", "1X", "1KK", "99999999999999T", "1iB2"})
    EXPECT_FALSE(ParseBytes(text)) << text;
}

TEST(ClosestWord, GuessesTyposOnly) {
  const std::vector<std::string> words = {"scan", "serve", "doctor", "model"};
  EXPECT_EQ(ClosestWord("scna", words), "scan");
  EXPECT_EQ(ClosestWord("docter", words), "doctor");
  EXPECT_EQ(ClosestWord("xyzzy", words), "");
}

TEST(Progress, FitsItsTerminal) {
  EXPECT_EQ(DrawProgress(0.5, 3, 10, "clip.mp4", 100),
            "[############------------]  50 %  3 of 10 files  clip.mp4");
  EXPECT_EQ(DrawProgress(2, 1, 1, "", 100), "[########################] 100 %  1 of 1 file");
  for (int columns = 1; columns < 120; ++columns)
    EXPECT_LE(DisplayWidth(DrawProgress(0.3, 1, 12345, std::string(200, 'x') + "\n\x1b", columns)),
              static_cast<std::size_t>(columns));
}

std::string Output(ScanFormat format, const std::vector<Outcome>& outcomes) {
  const auto result = MakeResultFormat(format, {});
  std::string text = result->Begin();
  for (const Outcome& outcome : outcomes) text += result->Add(outcome);
  return text + result->End();
}

std::vector<Outcome> TwoOutcomes() {
  Report report;
  report.media.name = "a.mp4";
  return {{"a.mp4", report}, {"b.mp4", Fail(ErrorCode::kUndecodable, "is empty")}};
}

TEST(ResultFormat, JsonIsOneArrayAlsoOfNothing) {
  const auto two = nlohmann::json::parse(Output(ScanFormat::kJson, TwoOutcomes()));
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0]["media"]["name"], "a.mp4");
  EXPECT_EQ(two[1]["error"]["code"], "undecodable");
  EXPECT_EQ(nlohmann::json::parse(Output(ScanFormat::kJson, {})), nlohmann::json::array());
}

TEST(ResultFormat, JsonLinesAreOneObjectALine) {
  std::istringstream lines(Output(ScanFormat::kJsonLines, TwoOutcomes()));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_TRUE(nlohmann::json::parse(line).is_object());
  EXPECT_EQ(count, 2);
  EXPECT_EQ(Output(ScanFormat::kJsonLines, {}), "");
}

TEST(ResultFormat, TableEndsWithTotals) {
  EXPECT_THAT(Output(ScanFormat::kTable, TwoOutcomes()),
              HasSubstr("2 files: 1 inconclusive, 1 not analysed"));
  EXPECT_THAT(Output(ScanFormat::kTable, {TwoOutcomes()[0]}), testing::Not(HasSubstr("1 file:")));
}

TEST(ResultFormat, HtmlAndCsvHoldAll) {
  EXPECT_THAT(Output(ScanFormat::kHtml, TwoOutcomes()), HasSubstr("is empty"));
  EXPECT_THAT(Output(ScanFormat::kCsv, TwoOutcomes()), testing::StartsWith("name,verdict,"));
}

TEST(Model, IsDescribedWithItsLimits) {
  ModelCard card;
  card.name = "face";
  card.version = 1;
  card.thresholds = {.manipulated = 0.92, .clear = 0.35, .fpr_at_manipulated = 0.01};
  card.limits = {{"Lip synchronisation is not seen.", {}}, {"Whole-face synthesis is not seen.", {}}};
  card.calibration = {.fitted = true, .slope = 2, .intercept = -0.5};
  const std::string text = DescribeModel(card);
  EXPECT_THAT(text, HasSubstr("face:1"));
  EXPECT_THAT(text, HasSubstr("92 %"));
  EXPECT_THAT(text, HasSubstr("- Lip synchronisation is not seen."));
}

TEST(Model, IsDescribedWithoutThresholdsWhenItIsNotCalibrated) {
  ModelCard card;
  card.thresholds = {.manipulated = 0.92, .clear = 0.35, .fpr_at_manipulated = 0.01};
  const std::string text = DescribeModel(card);
  EXPECT_THAT(text, HasSubstr("not_calibrated"));
  EXPECT_THAT(text, testing::Not(HasSubstr("92 %")));
}

}  // namespace
}  // namespace unmask
