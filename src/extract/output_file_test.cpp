// SPDX-License-Identifier: Apache-2.0
#include "extract/output_file.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/id.hpp"
#include "extract/test_faces.hpp"

namespace unmask {
namespace {

class OutputFileTest : public testing::Test {
 protected:
  ~OutputFileTest() override { std::filesystem::remove(path_); }
  const std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) / ("unmask-out-" + NewTraceId());
};

TEST_F(OutputFileTest, GrowsAtItsEndAlsoWhenOpenedAgain) {
  Must(OutputFile::Open(path_).value().Append("one"));
  OutputFile file = OutputFile::Open(path_).value();
  EXPECT_EQ(file.size(), 3U);
  Must(file.Append("two"));
  EXPECT_EQ(ReadSmallFile(path_).value(), "onetwo");
}

TEST_F(OutputFileTest, IsCutBack) {
  OutputFile file = OutputFile::Open(path_).value();
  Must(file.Append("onetwo"));
  Must(file.CutTo(3));
  Must(file.Append("!"));
  EXPECT_EQ(ReadSmallFile(path_).value(), "one!");
  EXPECT_EQ(file.CutTo(5).error().code, ErrorCode::kConflict);
}

TEST_F(OutputFileTest, IsLockedOnce) {
  OutputFile first = OutputFile::Open(path_).value();
  const OutputFile second = OutputFile::Open(path_).value();
  EXPECT_TRUE(first.Lock());
  EXPECT_FALSE(second.Lock());
  first = OutputFile::Open(path_).value();
  EXPECT_TRUE(second.Lock());
}

TEST_F(OutputFileTest, SaysWhyItCannotBeWritten) {
  EXPECT_EQ(OutputFile::Open(testing::TempDir()).error().code, ErrorCode::kInternal);
  OutputFile full = OutputFile::Open("/dev/full").value();
  const auto written = full.Append("x");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("/dev/full: No space left"), std::string::npos);
}

}  // namespace
}  // namespace unmask
