// SPDX-License-Identifier: Apache-2.0
#include "extract/labelling.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace unmask {
namespace {

const std::string kSha256(64, 'b');

TEST(Labelling, TakesTheLabelFromTheFolder) {
  const SourceFacts facts = Labelling{}.Describe("x/fake/1.mp4", kSha256);
  EXPECT_EQ(facts.name, "x/fake/1.mp4");
  EXPECT_EQ(facts.label, "fake");
  EXPECT_EQ(facts.group, "bbbbbbbbbbbbbbbb");
  EXPECT_EQ(facts.split, "all");
}

TEST(Labelling, GivenLabelGoesBeforeTheFolder) {
  EXPECT_EQ((Labelling{.label = "real"}.Describe("x/fake/1.mp4", kSha256).label), "real");
}

TEST(Labelling, FilesOfOneGroupShareASplit) {
  const Labelling labelling{.group_by = GroupBy::kFolder, .splits = {{"a", 0.5}, {"b", 0.5}}};
  for (const char* person : {"ann", "bob", "cid", "dee"}) {
    const std::string folder = person;
    EXPECT_EQ(labelling.Describe("real/" + folder + "/1.mp4", kSha256).split,
              labelling.Describe("fake/" + folder + "/2.mp4", std::string(64, 'c')).split);
  }
}

TEST(Settings, NameEveryOptionThatShapesTheSet) {
  CutOptions cut;
  cut.skip_codes = {"dark"};
  const auto json = nlohmann::json::parse(SettingsJson(cut, {}, "face:1", "blazeface"));
  EXPECT_EQ(json["crop"]["side_of"], "geometric_mean");
  EXPECT_EQ(json["model"], "face:1");
  EXPECT_EQ(json["size"], 224);
  EXPECT_EQ(json["format"], "jpg");
  EXPECT_EQ(json["quality"], 95);
  EXPECT_EQ(json["skip"], nlohmann::json({"dark"}));
  EXPECT_EQ(json["split"]["all"], 1.0);
  EXPECT_EQ(json["group_by"], "source");
}

TEST(Settings, LeaveOutWhatHasNoEffect) {
  CutOptions cut;
  cut.format = CropFormat::kPng;
  cut.sampling.mode = SampleMode::kKeyframes;
  cut.crop = MarginRule(0.5);
  const auto json = nlohmann::json::parse(SettingsJson(cut, {}, "", "haar"));
  EXPECT_TRUE(json["quality"].is_null());
  EXPECT_TRUE(json["fps"].is_null());
  EXPECT_TRUE(json["model"].is_null());
  EXPECT_EQ(json["crop"]["scale"], 2.0);
}

}  // namespace
}  // namespace unmask
