// SPDX-License-Identifier: Apache-2.0
#include "model/compiled_cache.hpp"

#include <sys/stat.h>

#include <fstream>

#include <gtest/gtest.h>

#include "base/id.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

class CompiledCacheTest : public testing::Test {
 protected:
  ~CompiledCacheTest() override { fs::remove_all(root_); }

  std::optional<std::string> Read(std::string_view key) const {
    const auto entry = cache_.Read(key);
    return entry ? std::optional(std::string(entry->content())) : std::nullopt;
  }

  fs::path OnlyFile() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_)) files.push_back(entry.path());
    EXPECT_EQ(files.size(), 1u);
    return files.empty() ? fs::path() : files.front();
  }

  fs::path root_ = fs::path(testing::TempDir()) / ("unmask-cache-" + NewTraceId());
  fs::path folder_ = root_ / "a" / "cache";
  CompiledCache cache_{folder_};
};

TEST_F(CompiledCacheTest, GivesBackWhatWasWrittenForTheSameKeyOnly) {
  EXPECT_EQ(Read("key"), std::nullopt);
  cache_.Write("key", std::string_view("a\0b", 3));
  EXPECT_EQ(Read("key"), std::string("a\0b", 3));
  EXPECT_EQ(Read("key2"), std::nullopt);
  cache_.Write("key", "new");
  EXPECT_EQ(Read("key"), "new");
}

TEST_F(CompiledCacheTest, MakesItsFolderForThisUserAlone) {
  cache_.Write("key", "content");
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
}

TEST_F(CompiledCacheTest, TakesATornOrDamagedEntryForAbsent) {
  cache_.Write("key", "content");
  const fs::path file = OnlyFile();
  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_EQ(Read("key"), std::nullopt);
  fs::resize_file(file, 10);
  EXPECT_EQ(Read("key"), std::nullopt);
  cache_.Write("key", "content");
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(-1, std::ios::end);
    stream.put('X');
  }
  EXPECT_EQ(Read("key"), std::nullopt);
}

TEST_F(CompiledCacheTest, UsesNoFolderThatOthersMayWrite) {
  cache_.Write("key", "content");
  fs::permissions(folder_, fs::perms::all);
  EXPECT_EQ(Read("key"), std::nullopt);
  cache_.Write("other", "content");
  fs::permissions(folder_, fs::perms::owner_all);
  EXPECT_EQ(Read("other"), std::nullopt);
  EXPECT_EQ(Read("key"), "content");
}

TEST_F(CompiledCacheTest, UsesNoLinkInPlaceOfItsFolder) {
  fs::create_directories(folder_.parent_path());
  fs::create_directory(root_ / "elsewhere");
  fs::create_directory_symlink(root_ / "elsewhere", folder_);
  cache_.Write("key", "content");
  EXPECT_TRUE(fs::is_empty(root_ / "elsewhere"));
}

TEST_F(CompiledCacheTest, KeepsTheNewestSixteenEntries) {
  for (int i = 0; i < 16; ++i) cache_.Write(std::to_string(i), "content");
  for (const auto& entry : fs::directory_iterator(folder_))
    fs::last_write_time(entry.path(), fs::file_time_type::clock::now() - std::chrono::hours(1));
  cache_.Write("newest", "content");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 16);
  EXPECT_EQ(Read("newest"), "content");
}

TEST(CompiledCache, KeepsNothingWithoutAFolder) {
  const CompiledCache cache{{}};
  cache.Write("key", "content");
  EXPECT_FALSE(cache.Read("key"));
}

TEST(CompiledCache, SurvivesAFolderThatCannotBeMade) {
  const CompiledCache cache{"/proc/none/cache"};
  cache.Write("key", "content");
  EXPECT_FALSE(cache.Read("key"));
}

TEST(DefaultCacheFolder, FollowsTheEnvironment) {
  ::setenv("XDG_CACHE_HOME", "/x", 1);
  ::setenv("HOME", "/h", 1);
  EXPECT_EQ(DefaultCacheFolder(), "/x/unmask");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(DefaultCacheFolder(), "/h/.cache/unmask");
  ::unsetenv("HOME");
  EXPECT_EQ(DefaultCacheFolder(), "");
}

}  // namespace
}  // namespace unmask
