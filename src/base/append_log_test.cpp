// SPDX-License-Identifier: Apache-2.0
#include "base/append_log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/id.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

class AppendLogTest : public testing::Test {
 protected:
  AppendLogTest() { fs::create_directory(folder_); }
  ~AppendLogTest() override { fs::remove_all(folder_); }
  std::string Content() const { return ReadSmallFile(file_).value(); }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("unmask-log-" + NewTraceId());
  const fs::path file_ = folder_ / "log";
};

TEST_F(AppendLogTest, AddsLinesToWhatIsThere) {
  ASSERT_TRUE(AppendLog::Open(file_, 0600)->Append("one"));
  auto log = AppendLog::Open(file_, 0600).value();
  ASSERT_TRUE(log.Append("two"));
  EXPECT_EQ(Content(), "one\ntwo\n");
  EXPECT_EQ(log.size().value(), 8u);
  struct stat info {};
  ASSERT_EQ(::stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(AppendLogTest, TakesTheLastLineBack) {
  auto log = AppendLog::Open(file_, 0600).value();
  ASSERT_TRUE(log.Append("stays"));
  ASSERT_TRUE(log.Append("goes"));
  log.TakeBack();
  EXPECT_EQ(Content(), "stays\n");
}

TEST_F(AppendLogTest, EndsALineThatACrashLeft) {
  std::ofstream(file_) << "whole\nto";
  ASSERT_TRUE(AppendLog::Open(file_, 0600)->Append("next"));
  EXPECT_EQ(Content(), "whole\nto\nnext\n");
}

TEST_F(AppendLogTest, RefusesWhatIsNoPlainFile) {
  EXPECT_EQ(AppendLog::Open(folder_, 0600).error().code, ErrorCode::kUnreadable);
  std::ofstream(folder_ / "elsewhere") << "";
  fs::create_symlink(folder_ / "elsewhere", file_);
  EXPECT_EQ(AppendLog::Open(file_, 0600).error().code, ErrorCode::kUnreadable);
  EXPECT_EQ(AppendLog::Open("/dev/full", 0600).error().code, ErrorCode::kUnreadable);
  EXPECT_NE(AppendLog::Open(folder_ / "none" / "log", 0600).error().message.find("none/log"),
            std::string::npos);
}

TEST_F(AppendLogTest, LosesNoLineOfSeveralWriters) {
  std::vector<std::thread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([this, w] {
      for (int i = 0; i < 5; ++i) {
        auto log = AppendLog::Open(file_, 0600);
        ASSERT_TRUE(log && log->Append(std::string(100, static_cast<char>('a' + w))));
      }
    });
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(Content().size(), 20u * 101u);
  std::ifstream lines(file_);
  for (std::string line; std::getline(lines, line);)
    EXPECT_EQ(line, std::string(100, line.at(0))) << "lines are whole";
}

}  // namespace
}  // namespace unmask
