// SPDX-License-Identifier: Apache-2.0
#include "evaluation/archive.hpp"

#include <cstdlib>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluation/test_files.hpp"

namespace unmask {
namespace {

constexpr std::uint64_t kLimit = 1 << 20;

/// The entries up to the end or the first error.
struct Listed {
  std::vector<ArchiveEntry> entries;
  std::string error;
};

Listed List(const std::filesystem::path& file) {
  Listed listed;
  auto reader = ArchiveReader::Open(file);
  if (!reader) return {{}, reader.error().message};
  for (;;) {
    auto entry = reader->Next();
    if (!entry) {
      listed.error = entry.error().message;
      return listed;
    }
    if (!*entry) return listed;
    listed.entries.push_back(**entry);
  }
}

std::string ContentOf(const PrivateFile& file) { return ReadSmallFile(file.path()).value(); }

TEST(ArchiveReader, GivesNamesSizesAndContents) {
  const TestFolder folder;
  const auto file = folder.Write("a.tar", TarEntry("val/", "", '5') + TarEntry("./val/real/a.jpg", "first") +
                                              TarEntry("b.jpg", "second") + TarEnd());
  auto reader = ArchiveReader::Open(file).value();
  EXPECT_EQ((*reader.Next())->kind, ArchiveEntryKind::kFolder);
  const auto first = *reader.Next();
  EXPECT_EQ(first->name, "val/real/a.jpg");
  EXPECT_EQ(first->bytes, 5U);
  EXPECT_EQ(ContentOf(reader.Extract(folder.path(), kLimit).value()), "first");
  EXPECT_EQ((*reader.Next())->name, "b.jpg");
  EXPECT_EQ(ContentOf(reader.Extract(folder.path(), kLimit).value()), "second");
  EXPECT_FALSE(reader.Next().value().has_value());
}

TEST(ArchiveReader, KnowsNamesThatLeadElsewhere) {
  const TestFolder folder;
  const auto file = folder.Write("a.tar", TarEntry("/etc/real/a") + TarEntry("real/../../a") +
                                              TarEntry("..") + TarEntry("real/a..b") + TarEnd());
  const auto listed = List(file);
  ASSERT_EQ(listed.entries.size(), 4U);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(listed.entries[static_cast<std::size_t>(i)].kind, ArchiveEntryKind::kUnsafeName) << i;
  EXPECT_EQ(listed.entries[3].kind, ArchiveEntryKind::kFile);
}

TEST(ArchiveReader, TakesNoLinksForFiles) {
  const TestFolder folder;
  const auto file = folder.Write("a.tar", TarEntry("real/s", "", '2', "/etc/passwd") +
                                              TarEntry("real/h", "", '1', "/etc/passwd") + TarEnd());
  for (const ArchiveEntry& entry : List(file).entries) EXPECT_EQ(entry.kind, ArchiveEntryKind::kOther);
}

TEST(ArchiveReader, ReadsCompressedArchives) {
  const TestFolder folder;
  const auto file = folder.Write("a.tar", TarEntry("real/a.jpg", "content") + TarEnd());
  ASSERT_EQ(std::system(("gzip -k " + file.string()).c_str()), 0);
  auto reader = ArchiveReader::Open(file.string() + ".gz").value();
  EXPECT_EQ((*reader.Next())->name, "real/a.jpg");
  EXPECT_EQ(ContentOf(reader.Extract(folder.path(), kLimit).value()), "content");
}

TEST(ArchiveReader, SaysThatAnArchiveEndsEarly) {
  const TestFolder folder;
  const std::string whole = TarEntry("real/a.jpg", std::string(2000, 'x')) + TarEnd();
  const auto listed = List(folder.Write("a.tar", whole.substr(0, 1000)));
  EXPECT_EQ(listed.entries.size(), 1U);
  EXPECT_THAT(listed.error, testing::HasSubstr("broken"));
}

TEST(ArchiveReader, RefusesWhatIsNoArchive) {
  const TestFolder folder;
  EXPECT_EQ(ArchiveReader::Open(folder.path() / "none.tar").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(ArchiveReader::Open(folder.path()).error().code, ErrorCode::kUnreadable);
  EXPECT_NE(List(folder.Write("text.tar", "This is no archive.\n")).error, "");
}

TEST(ArchiveReader, ExtractsNoMoreThanTheLimit) {
  const TestFolder folder;
  auto reader =
      ArchiveReader::Open(folder.Write("a.tar", TarEntry("a", std::string(1000, 'x')) + TarEnd())).value();
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.Extract(folder.path(), 999).error().code, ErrorCode::kTooLarge);
}

TEST(ArchiveReader, SurvivesDamage) {
  const TestFolder folder;
  const std::string whole =
      TarEntry("real/a.jpg", std::string(700, 'x')) + TarEntry("fake/b.jpg", "y") + TarEnd();
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 5; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    for (const ArchiveEntry& entry : List(folder.Write("damaged.tar", damaged)).entries)
      EXPECT_LE(entry.name.size(), 4096U);
  }
}

}  // namespace
}  // namespace unmask
