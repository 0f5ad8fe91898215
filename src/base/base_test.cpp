// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/id.hpp"
#include "base/thread_pool.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("unmask-base-" + NewTraceId());
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(FileTest, OpenForReadingTellsAbsentFromUnreadable) {
  EXPECT_EQ(OpenForReading(folder_ / "absent").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(OpenForReading(folder_).error().code, ErrorCode::kUnreadable);
}

TEST_F(FileTest, OpenForReadingDoesNotBlockOnAPipe) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(OpenForReading(folder_ / "pipe").error().code, ErrorCode::kUnreadable);
}

TEST_F(FileTest, WriteFileAtomicallyReplacesTheContent) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "old"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "new"));
  EXPECT_EQ(ReadSmallFile(folder_ / "f").value(), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1)
      << "left a temporary file behind";
}

TEST_F(FileTest, ReadSmallFileRefusesMoreThanTheLimit) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "12345"));
  EXPECT_EQ(ReadSmallFile(folder_ / "f", 4).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(ReadSmallFile(folder_ / "f", 5).value(), "12345");
}

TEST_F(FileTest, PrivateFileCanBeReadByItsPathAndHasNoName) {
  auto file = PrivateFile::Create(folder_).value();
  ASSERT_TRUE(file.Append(std::string_view("abc")));
  EXPECT_EQ(file.size(), 3u);
  EXPECT_EQ(ReadSmallFile(file.path()).value(), "abc");
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(FileTest, Sha256OfFileIsThatOfTheStandard) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "abc"));
  auto fd = OpenForReading(folder_ / "f");
  // FIPS 180-4, example B.1.
  EXPECT_EQ(Sha256OfFile(fd->get()).value(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Id, IsAUuidOfVersion7) {
  EXPECT_THAT(NewId(),
              testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(NewId(), NewId());
}

TEST(ThreadPool, RefusesMoreThanItsCapacityAndRunsTheRest) {
  std::atomic<int> ran = 0;
  {
    std::latch started(1), release(1);
    ThreadPool pool(1, 2);
    ASSERT_TRUE(pool.TrySubmit([&] {
      started.count_down();
      release.wait();
      ++ran;
    }));
    started.wait();
    EXPECT_TRUE(pool.TrySubmit([&] { ++ran; }));
    EXPECT_TRUE(pool.TrySubmit([&] { ++ran; }));
    EXPECT_FALSE(pool.TrySubmit([&] { ++ran; }));
    release.count_down();
  }
  EXPECT_EQ(ran, 3);
}

}  // namespace
}  // namespace unmask
