// SPDX-License-Identifier: Apache-2.0
#include "evaluation/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "evaluation/sample_files.hpp"
#include "evaluation/test_files.hpp"

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> Names(const Dataset& dataset) {
  std::vector<std::string> names;
  for (const Sample& sample : dataset.samples)
    names.push_back(fmt::format("{}={}", sample.name, sample.manipulated ? "fake" : "real"));
  return names;
}

std::size_t CountOf(const Skips& skips, const std::string& reason) {
  for (const Skips::Kind& kind : skips.kinds())
    if (kind.reason == reason) return kind.count;
  return 0;
}

TEST(FindSamples, TakesLabelsFromFolders) {
  const TestFolder folder;
  folder.Write("real/b.jpg");
  folder.Write("real/deeper/c.jpg");
  folder.Write("fake/a.mp4");
  folder.Write("other/x.jpg");
  folder.Write("real/.hidden");
  const auto dataset = FindSamples({.paths = {folder.path()}}).value();
  EXPECT_THAT(Names(dataset), ElementsAre("fake/a.mp4=fake", "real/b.jpg=real", "real/deeper/c.jpg=real"));
  EXPECT_EQ(CountOf(dataset.skipped, "no_label"), 1U);
  EXPECT_EQ(CountOf(dataset.left_out, "hidden"), 1U);
  EXPECT_THAT(dataset.notes, IsEmpty());
}

TEST(FindSamples, LeavesOutTheTablesOfAnExtractedSet) {
  const TestFolder folder;
  folder.Write("val/real/a.jpg");
  folder.Write("val/fake/b.jpg");
  folder.Write("faces.csv");
  folder.Write("sources.csv");
  folder.Write("extract.json");
  folder.Write("val/real/faces.csv");  // not where a set has its own
  const auto dataset = FindSamples({.paths = {folder.path()}, .label = false}).value();
  EXPECT_THAT(Names(dataset),
              ElementsAre("val/fake/b.jpg=fake", "val/real/a.jpg=real", "val/real/faces.csv=real"));
  EXPECT_EQ(CountOf(dataset.left_out, "table_of_set"), 3U);
  EXPECT_EQ(CountOf(dataset.skipped, "no_label"), 0U);
}

TEST(FindSamples, SaysThatALabelFolderIsMissing) {
  const TestFolder folder;
  folder.Write("real/a.jpg");
  const auto dataset = FindSamples({.paths = {folder.path()}}).value();
  EXPECT_THAT(dataset.notes,
              ElementsAre(HasSubstr("has no folder fake/"), HasSubstr("No file is labelled fake")));
}

TEST(FindSamples, FailsWithoutAnyLabel) {
  const TestFolder folder;
  folder.Write("a.jpg");
  const auto result = FindSamples({.paths = {folder.path()}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kBadRequest);
  EXPECT_THAT(result.error().message, HasSubstr("1 no_label (e.g. a.jpg)"));
}

TEST(FindSamples, TakesALabelForFilesThatHaveNone) {
  const TestFolder folder;
  folder.Write("a.jpg");
  const auto dataset = FindSamples({.paths = {folder.path()}, .label = true}).value();
  EXPECT_THAT(Names(dataset), ElementsAre("a.jpg=fake"));
}

TEST(FindSamples, FailsForWhatIsNotThere) {
  const auto result = FindSamples({.paths = {"/no/such/place"}});
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(result.error().message, HasSubstr("/no/such/place"));
}

TEST(FindSamples, ReadsArchivesAndCountsWhatIsOddInThem) {
  const TestFolder folder;
  const auto tar = folder.Write("a.tar", TarEntry("train/real/1.jpg") + TarEntry("val/real/2.jpg") +
                                             TarEntry("val/fake/3.jpg") + TarEntry("val/fake/3.jpg") +
                                             TarEntry("/val/fake/4.jpg") + TarEntry("val/fake/../5.jpg") +
                                             TarEntry("val/fake/6.jpg", "", '2', "3.jpg") + TarEnd());
  const auto dataset = FindSamples({.paths = {tar}, .split = "val"}).value();
  EXPECT_THAT(Names(dataset), ElementsAre("val/real/2.jpg=real", "val/fake/3.jpg=fake"));
  EXPECT_EQ(CountOf(dataset.left_out, "other_split"), 1U);
  EXPECT_EQ(CountOf(dataset.skipped, "duplicate"), 1U);
  EXPECT_EQ(CountOf(dataset.skipped, "unsafe_name"), 2U);
  EXPECT_EQ(CountOf(dataset.skipped, "not_a_file"), 1U);
  EXPECT_EQ(dataset.skipped.total(), 4U);
}

TEST(FindSamples, KeepsTheFilesOfABrokenArchive) {
  const TestFolder folder;
  const std::string whole = TarEntry("real/1.jpg", "a") + TarEntry("real/2.jpg", std::string(5000, 'x'));
  const auto dataset = FindSamples({.paths = {folder.Write("a.tar", whole.substr(0, 3000))}}).value();
  EXPECT_EQ(CountOf(dataset.skipped, "broken_archive"), 1U);
  EXPECT_GE(dataset.samples.size(), 1U);
}

TEST(FindSamples, ReadsCsvFilesRelativeToThemselves) {
  const TestFolder folder;
  folder.Write("pictures/a.jpg");
  const auto csv = folder.Write("list.csv",
                                "path,label,group,cluster\n"
                                "pictures/a.jpg,real,g1,c1\n"
                                "/abs/b.jpg,FAKE,g2,\n"
                                "c.jpg,perhaps,g,\n"
                                "d.jpg\n"
                                ",real,,\n"
                                "\"unclosed,real\n");
  const auto dataset = FindSamples({.paths = {csv}}).value();
  ASSERT_THAT(Names(dataset), ElementsAre("pictures/a.jpg=real", "/abs/b.jpg=fake"));
  EXPECT_EQ(dataset.samples[0].file, folder.path() / "pictures/a.jpg");
  EXPECT_EQ(dataset.samples[0].group, "g1");
  EXPECT_EQ(dataset.samples[0].cluster, "c1");
  EXPECT_EQ(dataset.samples[1].file, "/abs/b.jpg");
  EXPECT_EQ(CountOf(dataset.skipped, "bad_line"), 4U);
  EXPECT_THAT(dataset.skipped.kinds()[0].examples[0].name, "list.csv:4");
}

TEST(FindSamples, NeedsACsvThatNamesItsColumns) {
  const TestFolder folder;
  const auto result = FindSamples({.paths = {folder.Write("a.csv", "a.jpg,real\n")}});
  EXPECT_EQ(result.error().code, ErrorCode::kBadRequest);
  EXPECT_THAT(result.error().message, HasSubstr("expected a column path"));
}

TEST(FindSamples, JoinsAListByNameOrId) {
  const TestFolder folder;
  const auto tar = folder.Write("a.tar", TarEntry("val/real/one.jpg") + TarEntry("val/fake/two.jpg") +
                                             TarEntry("val/fake/three.jpg") + TarEnd());
  const auto list = folder.Write("list.csv",
                                 "id,label,original,split\none,real,one,val\ntwo,fake,one,val\n"
                                 "four,real,four,val\nfive,real,five,train\n");
  const auto dataset =
      FindSamples({.paths = {tar}, .split = "val", .list = list, .cluster_column = "original"}).value();
  ASSERT_THAT(Names(dataset), ElementsAre("val/real/one.jpg=real", "val/fake/two.jpg=fake"));
  EXPECT_EQ(dataset.samples[0].cluster, "one");
  EXPECT_EQ(dataset.samples[1].cluster, "one");
  EXPECT_EQ(CountOf(dataset.left_out, "not_listed"), 1U);
  EXPECT_THAT(dataset.notes, ElementsAre("1 of 3 rows of the list have no file here."));
}

TEST(FindSamples, AListMayGiveLabelAndSplit) {
  const TestFolder folder;
  folder.Write("one.jpg");
  folder.Write("two.jpg");
  const auto list = folder.Write("list.csv", "file,label,split\none.jpg,real,val\ntwo.jpg,fake,test\n");
  const auto dataset = FindSamples({.paths = {folder.path()}, .split = "val", .list = list}).value();
  EXPECT_THAT(Names(dataset), ElementsAre("one.jpg=real"));
}

TEST(FindSamples, CountsLabelsThatContradict) {
  const TestFolder folder;
  folder.Write("data/real/one.jpg");
  folder.Write("data/real/two.jpg");
  const auto list = folder.Write("list.csv", "file,label\none.jpg,fake\ntwo.jpg,real\ntwo.jpg,real\n");
  const auto dataset = FindSamples({.paths = {folder.path() / "data"}, .list = list}).value();
  EXPECT_EQ(CountOf(dataset.skipped, "label_conflict"), 1U);
  EXPECT_EQ(CountOf(dataset.skipped, "bad_line"), 1U);
}

TEST(FindSamples, SaysWhichColumnAListLacks) {
  const TestFolder folder;
  folder.Write("real/a.jpg");
  const auto no_key = FindSamples({.paths = {folder.path()}, .list = folder.Write("l.csv", "name,label\n")});
  EXPECT_THAT(no_key.error().message, HasSubstr("a column path, file or id"));
  const auto no_group = FindSamples(
      {.paths = {folder.path()}, .list = folder.Write("m.csv", "file\na.jpg\n"), .group_column = "source"});
  EXPECT_THAT(no_group.error().message, HasSubstr("a column source"));
}

TEST(FindSamples, SpreadsALimitOverBothClasses) {
  const TestFolder folder;
  for (int i = 0; i < 10; ++i) folder.Write(fmt::format("real/{}.jpg", i));
  for (int i = 0; i < 3; ++i) folder.Write(fmt::format("fake/{}.jpg", i));
  const auto four = FindSamples({.paths = {folder.path()}, .limit = 4}).value();
  EXPECT_THAT(Names(four),
              ElementsAre(HasSubstr("fake"), HasSubstr("fake"), "real/4.jpg=real", "real/9.jpg=real"));
  EXPECT_EQ(CountOf(four.left_out, "limit"), 9U);
  EXPECT_THAT(four.notes, ElementsAre(HasSubstr("Limited to 2 real and 2 fake of 10 and 3")));
  const auto ten = FindSamples({.paths = {folder.path()}, .limit = 10}).value();
  EXPECT_EQ(ten.samples.size(), 10U);
  EXPECT_THAT(ten.notes, ElementsAre(HasSubstr("7 real and 3 fake")));
  EXPECT_EQ(FindSamples({.paths = {folder.path()}, .limit = 99}).value().samples.size(), 13U);
}

TEST(FindSamples, CarriesCellsOfCsvFilesAlone) {
  const TestFolder folder;
  const auto csv = folder.Write("s.csv", "path,label,score\na,real,0.5\n");
  const auto dataset = FindSamples({.paths = {csv}, .cells = {"score", "logit"}}).value();
  EXPECT_THAT(dataset.samples[0].cells, ElementsAre("0.5", ""));
  EXPECT_THAT(FindSamples({.paths = {folder.path()}, .cells = {"score"}}).error().message, HasSubstr("CSV"));
  const auto none = folder.Write("n.csv", "path,label\na,real\n");
  EXPECT_THAT(FindSamples({.paths = {none}, .cells = {"score"}}).error().message, HasSubstr("column score"));
}

TEST(ParseLabel, KnowsTheWords) {
  EXPECT_EQ(ParseLabel("Real"), false);
  EXPECT_EQ(ParseLabel("0"), false);
  EXPECT_EQ(ParseLabel("fake"), true);
  EXPECT_EQ(ParseLabel("manipulated"), true);
  EXPECT_EQ(ParseLabel("1"), true);
  EXPECT_EQ(ParseLabel(""), std::nullopt);
  EXPECT_EQ(ParseLabel("fakes"), std::nullopt);
}

TEST(Skips, KeepsAFewExamplesOfEachReason) {
  Skips skips;
  for (int i = 0; i < 9; ++i) skips.Add("a", std::to_string(i));
  skips.Add("b", "x", "why");
  ASSERT_EQ(skips.kinds().size(), 2U);
  EXPECT_EQ(skips.kinds()[0].count, 9U);
  EXPECT_EQ(skips.kinds()[0].examples.size(), Skips::kExamples);
  EXPECT_EQ(skips.kinds()[1].examples[0].detail, "why");
  EXPECT_EQ(skips.total(), 10U);
}

std::string ReadBack(const SampleFiles::Item& item) {
  return item.file ? ReadSmallFile(item.file->path()).value_or("unreadable") : item.file.error().message;
}

TEST(SampleFiles, HandsOutFilesAndMembersInOrder) {
  const TestFolder folder;
  const auto plain = folder.Write("fake/p.jpg", "plain");
  const auto one = folder.Write(
      "1.tar", TarEntry("real/a", "A") + TarEntry("skip", "-") + TarEntry("real/b", "B") + TarEnd());
  const auto two = folder.Write("2.tar", TarEntry("real/a", "C") + TarEnd());
  const std::vector<Sample> samples = {{.name = "a", .file = one, .member = "real/a"},
                                       {.name = "b", .file = one, .member = "real/b"},
                                       {.name = "p", .file = plain},
                                       {.name = "c", .file = two, .member = "real/a"},
                                       {.name = "gone", .file = two, .member = "real/none"}};
  SampleFiles files(samples, folder.path(), 1 << 20);
  const auto first = files.Take(3);
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(ReadBack(first[0]), "A");
  EXPECT_EQ(ReadBack(first[1]), "B");
  EXPECT_EQ(ReadBack(first[2]), "plain");
  const auto rest = files.Take(3);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[1].index, 4U);
  EXPECT_EQ(ReadBack(rest[0]), "C");
  EXPECT_THAT(ReadBack(rest[1]), HasSubstr("no longer"));
  EXPECT_THAT(files.Take(3), IsEmpty());
}

}  // namespace
}  // namespace unmask
