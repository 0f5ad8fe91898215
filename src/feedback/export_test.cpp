// SPDX-License-Identifier: Apache-2.0
#include "feedback/export.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "feedback/test_feedback.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using testing::UnorderedElementsAre;

constexpr auto kAuthentic = FeedbackLabel::kAuthentic;
constexpr auto kManipulated = FeedbackLabel::kManipulated;

class ExportTest : public testing::Test {
 protected:
  ExportTest() : store_(FeedbackStore::Open(feedback_, 1 << 30).value()) {}

  void Say(const std::string& analysis, char content, FeedbackLabel label, std::optional<int> track = {},
           const FeedbackFaces* faces = nullptr) {
    auto record = RecordOf(analysis, content, label, track);
    ASSERT_TRUE(store_->Add(record, faces));
  }

  ExportCounts Run(std::vector<SplitShare> splits = {{"all", 1}}) {
    auto set = FaceSet::Open({.output = set_, .existing = Existing::kOverwrite, .settings = "{}"}).value();
    const auto counts = ExportFeedback(feedback_, ReadFeedbackLog(feedback_).value(), faces_.crop,
                                       {.splits = std::move(splits)}, *set);
    EXPECT_TRUE(counts);
    EXPECT_TRUE(set->Finish());
    return *counts;
  }

  /// LABEL/FILE of every face in the set's split "all".
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(set_ / "all"))
      if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(set_ / "all"));
    return files;
  }

  const FeedbackFolder folder_;
  const fs::path feedback_ = folder_.path() / "feedback";
  const fs::path set_ = folder_.path() / "set";
  const std::unique_ptr<FeedbackStore> store_;
  const FeedbackFaces faces_ = FacesOf({{1, "one"}, {1, "two"}, {2, "three"}});
};

TEST_F(ExportTest, WritesASetOfFacesWithTheirFacts) {
  Say("a1", '1', kManipulated, {}, &faces_);
  const auto counts = Run();
  EXPECT_EQ(counts.records, 1u);
  EXPECT_EQ(counts.contents, 1u);
  EXPECT_THAT(Files(), UnorderedElementsAre("fake/1111111111111111-t01-f000000.jpg",
                                            "fake/1111111111111111-t01-f000001.jpg",
                                            "fake/1111111111111111-t02-f000002.jpg"));
  EXPECT_EQ(ReadSmallFile(set_ / "all/fake/1111111111111111-t01-f000001.jpg").value(), "two");
  const std::string csv = ReadSmallFile(set_ / "faces.csv").value();
  EXPECT_NE(csv.find("fake,1111111111111111,all,clip.mp4," + std::string(64, '1')), std::string::npos) << csv;
  EXPECT_NE(csv.find(",100.25,50,40,60,"), std::string::npos) << "the box";
  EXPECT_NE(csv.find(",blazeface,0.9,"), std::string::npos);
  EXPECT_NE(csv.find(",small,90,55,60,60"), std::string::npos) << "the crop";
}

TEST_F(ExportTest, TakesTheLatestAndCountsTheRest) {
  Say("a1", '1', kManipulated, {}, &faces_);
  Say("a1", '1', kAuthentic);
  Say("a1", '1', kAuthentic);
  const auto counts = Run();
  EXPECT_EQ(counts.records, 3u);
  EXPECT_EQ(counts.superseded, 2u);
  EXPECT_EQ(counts.conflicts, 1u);
  for (const auto& file : Files()) EXPECT_TRUE(file.starts_with("real/")) << file;
}

TEST_F(ExportTest, LabelsOnePersonOtherwiseThanTheRest) {
  Say("a1", '1', kAuthentic, {}, &faces_);
  Say("a1", '1', kManipulated, 2);
  const auto counts = Run();
  EXPECT_EQ(counts.conflicts, 0u);
  EXPECT_EQ(counts.superseded, 0u);
  EXPECT_THAT(Files(), UnorderedElementsAre("real/1111111111111111-t01-f000000.jpg",
                                            "real/1111111111111111-t01-f000001.jpg",
                                            "fake/1111111111111111-t02-f000002.jpg"));
  Say("a1", '1', kManipulated);
  EXPECT_EQ(Run().superseded, 2u) << "the whole, said later, covers all";
  for (const auto& file : Files()) EXPECT_TRUE(file.starts_with("fake/")) << file;
}

TEST_F(ExportTest, KnowsTheSameContentInAnotherAnalysis) {
  Say("a1", '1', kAuthentic, {}, &faces_);
  Say("a2", '1', kManipulated);  // the same bytes, sent again, without faces
  EXPECT_EQ(Run().conflicts, 1u);
  for (const auto& file : Files()) EXPECT_TRUE(file.starts_with("fake/")) << file;
  Say("a3", '1', kAuthentic, {}, &faces_);
  const auto counts = Run();
  EXPECT_EQ(counts.twice, 3u);
  EXPECT_EQ(Files().size(), 3u);
}

TEST_F(ExportTest, CountsWhatItLeavesOut) {
  Say("a1", '1', FeedbackLabel::kUnsure, {}, &faces_);
  Say("a2", '2', kManipulated);
  FeedbackFaces other = faces_;
  other.crop.scale = 1.3;
  Say("a3", '3', kManipulated, {}, &other);
  Say("a4", '4', kManipulated, {}, &faces_);
  fs::remove(feedback_ / "faces/a4-t02/faces.json");
  Say("a5", '5', kManipulated, {}, &faces_);
  ASSERT_TRUE(store_->RemoveFaces("a5", {}));
  std::ofstream(feedback_ / "feedback.jsonl", std::ios::app) << "{}\n";
  const auto counts = Run();
  EXPECT_EQ(counts.contents, 5u);
  EXPECT_EQ(counts.unsure, 1u);
  EXPECT_EQ(counts.without_faces, 3u) << "never given, another crop, withdrawn";
  EXPECT_EQ(counts.other_crop, 3u);
  EXPECT_EQ(counts.unreadable, 1u);
  EXPECT_EQ(counts.damaged, 1u);
  EXPECT_EQ(Files().size(), 2u) << "the readable person of a4";
}

TEST_F(ExportTest, SplitsByContentAlways) {
  for (const char content : std::string("0123456789abcdef"))
    Say(std::string("a") + content, content, kManipulated, {}, &faces_);
  Run({{"train", 0.5}, {"val", 0.5}});
  std::map<std::string, std::set<std::string>> splits;
  for (const char* split : {"train", "val"})
    for (const auto& entry : fs::directory_iterator(set_ / split / "fake"))
      splits[entry.path().filename().string().substr(0, 16)].insert(split);
  EXPECT_EQ(splits.size(), 16u);
  std::size_t train = 0;
  for (const auto& [content, names] : splits) {
    EXPECT_EQ(names.size(), 1u) << content;
    train += names.count("train");
  }
  EXPECT_GT(train, 3u);
  EXPECT_LT(train, 13u);
}

}  // namespace
}  // namespace unmask
