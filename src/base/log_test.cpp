// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <gtest/gtest.h>

namespace unmask {
namespace {

class Log : public testing::Test {
 protected:
  void TearDown() override {
    SetLogLevel(LogLevel::kWarning);
    SetLogTimes(false);
  }
};

TEST_F(Log, PrintsWarningsAndWorseUntilToldOtherwise) {
  testing::internal::CaptureStderr();
  LogInfo("quiet");
  LogWarning("{} is {}", "this", 1);
  LogError("that");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: this is 1\nerror: that\n");
}

TEST_F(Log, ObeysTheLevel) {
  for (const auto& [name, level] : {std::pair{"debug", LogLevel::kDebug},
                                    {"info", LogLevel::kInfo},
                                    {"warning", LogLevel::kWarning},
                                    {"error", LogLevel::kError},
                                    {"off", LogLevel::kOff}}) {
    const auto parsed = ParseLogLevel(name);
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(*parsed, level);
    SetLogLevel(level);
    EXPECT_EQ(LogEnabled(LogLevel::kError), level != LogLevel::kOff) << name;
    EXPECT_EQ(LogEnabled(LogLevel::kDebug), level == LogLevel::kDebug) << name;
  }
  EXPECT_EQ(ParseLogLevel("loud").error().code, ErrorCode::kBadRequest);
}

TEST_F(Log, KeepsOneLineForTextFromOutside) {
  testing::internal::CaptureStderr();
  LogWarning("{}", "a\nwarning: forged \x1b[31m");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: a?warning: forged ?[31m\n");
}

TEST_F(Log, StatesTheTimeForServers) {
  SetLogTimes(true);
  testing::internal::CaptureStderr();
  LogWarning("x");
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.substr(10, 1), "T") << line;
  EXPECT_TRUE(line.ends_with("Z warning: x\n")) << line;
}

}  // namespace
}  // namespace unmask
