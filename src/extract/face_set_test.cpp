// SPDX-License-Identifier: Apache-2.0
#include "extract/face_set.hpp"

#include <cstdlib>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/id.hpp"
#include "extract/test_faces.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class FaceSetTest : public testing::Test {
 protected:
  FaceSetTest() { fs::create_directory(scratch_); }
  ~FaceSetTest() override { fs::remove_all(scratch_); }

  Result<std::unique_ptr<FaceSet>> TryOpen(const std::string& name, Existing existing = Existing::kRefuse,
                                           const std::string& settings = R"({"size": 224})") {
    return FaceSet::Open(
        {.output = scratch_ / name, .existing = existing, .settings = settings, .detector = "blazeface"});
  }

  std::unique_ptr<FaceSet> Open(const std::string& name, Existing existing = Existing::kRefuse) {
    return TryOpen(name, existing).value();
  }

  void Add(FaceSet& set, const SourceFacts& facts, const std::vector<std::string>& pictures) {
    Must(set.Add(facts, SourceOf(scratch_, pictures)));
  }

  /// A finished folder with two sources of two faces each.
  void MakeSet(const std::string& name) {
    const auto set = Open(name);
    Add(*set, FactsOf('a'), {"a0", "a1"});
    Add(*set, FactsOf('b', "fake"), {"b0", "b1"});
    Must(set->Finish());
  }

  std::string Read(const fs::path& path) const {
    return ReadSmallFile(scratch_ / path).value_or("(no file)");
  }

  void Write(const fs::path& path, const std::string& content) const {
    fs::create_directories((scratch_ / path).parent_path());
    std::ofstream(scratch_ / path, std::ios::binary) << content;
  }

  /// All files below a folder with their contents.
  std::map<std::string, std::string> Contents(const std::string& name) const {
    std::map<std::string, std::string> contents;
    for (const auto& entry : fs::recursive_directory_iterator(scratch_ / name))
      if (entry.is_regular_file())
        contents[entry.path().lexically_relative(scratch_ / name).string()] =
            ReadSmallFile(entry.path()).value();
    return contents;
  }

  const fs::path scratch_ = fs::path(testing::TempDir()) / ("unmask-set-" + NewTraceId());
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 2;
  }
  return lines;
}

TEST_F(FaceSetTest, WritesPicturesAndTheirLines) {
  MakeSet("set");
  EXPECT_EQ(Read("set/train/real/aaaaaaaaaaaaaaaa-t01-f000000.jpg"), "a0");
  EXPECT_EQ(Read("set/train/fake/bbbbbbbbbbbbbbbb-t01-f000001.jpg"), "b1");
  EXPECT_EQ(Lines(Read("set/faces.csv")).size(), 5U);
  EXPECT_EQ(Lines(Read("set/sources.csv")).size(), 3U);
  const auto json = nlohmann::json::parse(Read("set/extract.json"));
  EXPECT_EQ(json["schema"], "unmask.faces/1");
  EXPECT_EQ(json["complete"], true);
  EXPECT_EQ(json["options"]["size"], 224);
  EXPECT_EQ(json["faces"], 4);
  EXPECT_EQ(json["splits"]["train"]["fake"], 2);
}

TEST_F(FaceSetTest, KnowsItsSources) {
  const auto set = Open("set");
  EXPECT_EQ(set->Find(std::string(64, 'a')), nullptr);
  Add(*set, FactsOf('a', "fake"), {"x"});
  ASSERT_NE(set->Find(std::string(64, 'a')), nullptr);
  EXPECT_EQ(set->Find(std::string(64, 'a'))->label, "fake");
  EXPECT_FALSE(set->Find(std::string(64, 'a'))->earlier);
}

TEST_F(FaceSetTest, CountsSourcesWithoutFaces) {
  const auto set = Open("set");
  Add(*set, FactsOf('a'), {});
  Add(*set, FactsOf('b', ""), {"b0"});
  EXPECT_EQ(set->counts().sources, 2U);
  EXPECT_EQ(set->counts().sources_without_faces, 1U);
  EXPECT_EQ(set->counts().faces, 1U);
  EXPECT_EQ(set->counts().by_split_and_label.at("train").at("unlabelled"), 1U);
  EXPECT_EQ(Read("set/train/unlabelled/bbbbbbbbbbbbbbbb-t01-f000000.jpg"), "b0");
}

TEST_F(FaceSetTest, ArchiveIsReadByTarAndHoldsTheSame) {
  MakeSet("set");
  const auto set = Open("set.tar");
  Add(*set, FactsOf('a'), {"a0", "a1"});
  EXPECT_FALSE(fs::exists(scratch_ / "set.tar")) << "absent until it is complete";
  Add(*set, FactsOf('b', "fake"), {"b0", "b1"});
  Must(set->Finish());
  fs::create_directory(scratch_ / "out");
  const std::string command =
      fmt::format("tar -C {} -xf {}", (scratch_ / "out").string(), (scratch_ / "set.tar").string());
  ASSERT_EQ(std::system(command.c_str()), 0);
  auto folder = Contents("set");
  auto archive = Contents("out");
  folder.erase("sources.csv");  // says other lengths
  archive.erase("sources.csv");
  EXPECT_EQ(folder, archive);
  EXPECT_FALSE(fs::exists(scratch_ / "set.tar.part"));
}

TEST_F(FaceSetTest, RefusesWhatIsThere) {
  MakeSet("set");
  EXPECT_THAT(TryOpen("set").error().message, HasSubstr("holds a complete set"));
  Open("half");
  EXPECT_THAT(TryOpen("half").error().message, HasSubstr("not finished"));
  Open("half.tar");
  EXPECT_THAT(TryOpen("half.tar").error().message, HasSubstr("not finished"));
  Write("file", "x");
  EXPECT_THAT(TryOpen("file").error().message, HasSubstr("is a file"));
  Write("other.tar", "x");
  EXPECT_THAT(TryOpen("other.tar").error().message, HasSubstr("is there already"));
  EXPECT_THAT(TryOpen("other.tar", Existing::kResume).error().message, HasSubstr("is complete"));
  fs::create_directory(scratch_ / "folder.tar");
  EXPECT_THAT(TryOpen("folder.tar", Existing::kOverwrite).error().message, HasSubstr("is a folder"));
}

TEST_F(FaceSetTest, NeverTouchesAFolderOfOtherFiles) {
  Write("photos/holiday.jpg", "x");
  for (const Existing existing : {Existing::kRefuse, Existing::kResume, Existing::kOverwrite})
    EXPECT_THAT(TryOpen("photos", existing).error().message, HasSubstr("no set of faces"));
  EXPECT_EQ(Read("photos/holiday.jpg"), "x");
}

TEST_F(FaceSetTest, OverwritingRemovesTheSetAndNothingElse) {
  MakeSet("set");
  Write("set/notes.txt", "mine");
  Must(Open("set", Existing::kOverwrite)->Finish());
  const auto contents = Contents("set");
  EXPECT_EQ(contents.size(), 4U);
  EXPECT_EQ(contents.at("notes.txt"), "mine");
  EXPECT_FALSE(fs::exists(scratch_ / "set/train"));
}

TEST_F(FaceSetTest, OverwritingFollowsNoPathOutOfTheSet) {
  MakeSet("set");
  Write("victim/x/y.jpg", "x");
  Write("set/faces.csv",
        "id,path\r\n1,../victim/x/y.jpg\r\n2,x/../../victim/x/y.jpg\r\n3,a/../../victim\r\n");
  Open("set", Existing::kOverwrite);
  EXPECT_EQ(Read("victim/x/y.jpg"), "x");
}

TEST_F(FaceSetTest, ResumingAddsToASet) {
  MakeSet("set");
  const auto set = Open("set", Existing::kResume);
  ASSERT_NE(set->Find(std::string(64, 'a')), nullptr);
  EXPECT_TRUE(set->Find(std::string(64, 'a'))->earlier);
  EXPECT_EQ(set->counts().faces, 4U);
  EXPECT_EQ(nlohmann::json::parse(Read("set/extract.json"))["complete"], false);
  Add(*set, FactsOf('c'), {"c0"});
  Must(set->Finish());
  EXPECT_EQ(Lines(Read("set/faces.csv")).size(), 6U);
  EXPECT_EQ(nlohmann::json::parse(Read("set/extract.json"))["faces"], 5);
}

TEST_F(FaceSetTest, ResumingBeginsWhatIsNotThere) {
  EXPECT_TRUE(TryOpen("new", Existing::kResume));
  EXPECT_TRUE(TryOpen("new.tar", Existing::kResume));
}

TEST_F(FaceSetTest, KilledAnywhereInASourceItGoesOnAsIfNothingHadBeen) {
  MakeSet("whole");
  const auto whole = Contents("whole");
  const std::string rows = whole.at("faces.csv");
  const std::string sources = whole.at("sources.csv");
  const std::size_t first_row = rows.find("\r\nbbbb") + 2;
  const std::size_t first_source = sources.find("\r\nbbbb") + 2;
  // Killed in the rows (any byte of them), in the pictures, or in the source's own line.
  std::vector<std::pair<std::size_t, std::size_t>> ends = {{rows.size(), sources.size() - 1},
                                                           {rows.size(), first_source + 10}};
  for (std::size_t end = first_row; end <= rows.size(); end += 7) ends.emplace_back(end, first_source);
  for (const auto& [rows_end, sources_end] : ends) {
    fs::remove_all(scratch_ / "set");
    fs::copy(scratch_ / "whole", scratch_ / "set", fs::copy_options::recursive);
    Write("set/faces.csv", rows.substr(0, rows_end));
    Write("set/sources.csv", sources.substr(0, sources_end));
    if (rows_end < rows.size()) {
      fs::remove_all(scratch_ / "set/train/fake");
    } else {
      Write("set/train/fake/bbbbbbbbbbbbbbbb-t01-f000001.jpg", "half of b");
    }
    const auto set = Open("set", Existing::kResume);
    EXPECT_EQ(set->counts().faces, 2U);
    EXPECT_EQ(set->Find(std::string(64, 'b')), nullptr);
    EXPECT_FALSE(fs::exists(scratch_ / "set/train/fake")) << "what was not complete is removed";
    Add(*set, FactsOf('b', "fake"), {"b0", "b1"});
    Must(set->Finish());
    EXPECT_EQ(Contents("set"), whole) << rows_end << " " << sources_end;
  }
}

TEST_F(FaceSetTest, KilledArchiveGoesOn) {
  {
    const auto set = Open("set.tar");
    Add(*set, FactsOf('a'), {"a0"});
    Add(*set, FactsOf('b'), {"b0"});
  }
  std::string sources = Read("set.tar.part/sources.csv");
  Write("set.tar.part/sources.csv", sources.substr(0, sources.find("bbbb")));
  {
    const auto set = Open("set.tar", Existing::kResume);
    EXPECT_EQ(set->counts().sources, 1U);
    Add(*set, FactsOf('b'), {"b0"});
    Must(set->Finish());
  }
  const auto whole = Open("whole.tar");
  Add(*whole, FactsOf('a'), {"a0"});
  Add(*whole, FactsOf('b'), {"b0"});
  Must(whole->Finish());
  EXPECT_EQ(Read("set.tar"), Read("whole.tar"));
}

TEST_F(FaceSetTest, KilledBeforeItsFirstSourceItBeginsAgain) {
  MakeSet("whole");
  const std::string rows = Read("whole/faces.csv");
  for (const std::size_t end : {0, 5, 100}) {
    fs::remove_all(scratch_ / "set");
    Write("set/extract.json", Read("whole/extract.json"));
    Write("set/faces.csv", rows.substr(0, end));
    const auto set = Open("set", Existing::kResume);
    EXPECT_EQ(set->counts().sources, 0U);
    EXPECT_EQ(Lines(Read("set/faces.csv")).size(), 1U);
  }
}

TEST_F(FaceSetTest, IsNotResumedWithOtherOptions) {
  MakeSet("set");
  const auto other = TryOpen("set", Existing::kResume, R"({"size": 112})");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kConflict);
  EXPECT_THAT(other.error().message, HasSubstr("begun with size 224, now it is 112"));
  EXPECT_EQ(nlohmann::json::parse(Read("set/extract.json"))["complete"], true);
}

TEST_F(FaceSetTest, IsNotResumedAfterChangesByHand) {
  MakeSet("set");
  const std::string sources = Read("set/sources.csv");
  for (const std::string& text :
       {std::string("name,x\r\n"), Lines(sources)[0] + "\r\nabc,real\r\n",
        Lines(sources)[0] + "\r\n" + std::string(64, 'a') + ",real,train,x,1,2\r\n"}) {
    Write("set/sources.csv", text);
    EXPECT_THAT(TryOpen("set", Existing::kResume).error().message, HasSubstr("not as this program wrote it"));
  }
  Write("set/sources.csv", sources);
  Write("set/faces.csv", "short");
  EXPECT_THAT(TryOpen("set", Existing::kResume).error().message, HasSubstr("expected at least"));
}

TEST_F(FaceSetTest, IsWrittenByOneRunAtATime) {
  const auto first = Open("set");
  for (const Existing existing : {Existing::kResume, Existing::kOverwrite})
    EXPECT_THAT(TryOpen("set", existing).error().message, HasSubstr("another run"));
}

TEST_F(FaceSetTest, DiscardsItselfWhenItHoldsNothing) {
  for (const char* name : {"set", "set.tar"}) Open(name)->Discard();
  EXPECT_TRUE(fs::is_empty(scratch_));
  MakeSet("set");
  Open("set", Existing::kResume)->Discard();
  EXPECT_TRUE(fs::exists(scratch_ / "set/faces.csv"));
}

TEST_F(FaceSetTest, SaysThatItCannotBeMade) {
  Write("file", "x");
  EXPECT_EQ(TryOpen("file/set").error().code, ErrorCode::kBadRequest);
}

}  // namespace
}  // namespace unmask
