// SPDX-License-Identifier: Apache-2.0
#include "model/gate_check.hpp"

#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/id.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

/// A repository with three versions of one model, whose weights differ by their stated hash.
class GateCheck : public testing::Test {
 protected:
  GateCheck() {
    const auto card = ReadSmallFile(fs::path(UNMASK_SOURCE_DIR) / "models/face/1/model.json").value();
    sha_ = ModelRepository(fs::path(UNMASK_SOURCE_DIR) / "models").Card("face", 1).value().sha256;
    for (int version = 1; version <= 3; ++version) {
      const fs::path folder = root_ / "face" / std::to_string(version);
      fs::create_directories(folder);
      std::string text = card;
      text.replace(text.find("\"version\": 1"), 12, fmt::format("\"version\": {}", version));
      text.replace(text.find(sha_), sha_.size(), Sha(version));
      std::ofstream(folder / "model.json") << text;
    }
  }
  ~GateCheck() override { fs::remove_all(root_); }

  static std::string Sha(int version) { return std::string(64, static_cast<char>('a' + version)); }

  void Record(int candidate, int stable, bool passed) const {
    const auto gate = fmt::format(
        R"({{"schema":"unmask.gate/1","passed":{},"candidate":{{"sha256":"{}"}},"stable":{{"sha256":"{}"}}}})",
        passed, Sha(candidate), Sha(stable));
    ASSERT_TRUE(RolloutFiles(root_ / "face").RecordGate(candidate, "why", gate));
  }
  Result<void> Check(const Rollout& now, const Rollout& next, int serving = 1) const {
    return CheckGate(ModelRepository(root_), "face", now, next, serving);
  }

  const fs::path root_ = fs::path(testing::TempDir()) / ("unmask-gate-" + NewTraceId());
  std::string sha_;
};

TEST_F(GateCheck, AsksForAGateOfTheseWeightsAgainstStable) {
  const Rollout now{.stable = 1};
  const Rollout next{.stable = 1, .canary = 2, .percent = 5};
  const auto never = Check(now, next);
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, ErrorCode::kConflict);
  EXPECT_NE(never.error().hint.find("unmask model gate face:2 --against face:1"), std::string::npos);
  Record(3, 1, true);
  Record(2, 3, true);
  EXPECT_FALSE(Check(now, next)) << "gates of others";
  Record(2, 1, true);
  EXPECT_TRUE(Check(now, next));
  Record(2, 1, false);
  const auto refused = Check(now, next);
  ASSERT_FALSE(refused) << "the newest decides";
  EXPECT_NE(refused.error().message.find("refused by its last gate"), std::string::npos);
}

TEST_F(GateCheck, NeedsNoneForWhatAnswersAlready) {
  EXPECT_TRUE(Check({}, {.stable = 1}));
  EXPECT_TRUE(Check({.stable = 1, .canary = 2, .percent = 5}, {.stable = 1, .canary = 2, .percent = 50}));
  EXPECT_FALSE(Check({.stable = 1, .canary = 2, .percent = 5}, {.stable = 2}))
      << "a canary that becomes stable";
  EXPECT_FALSE(Check({}, {.stable = 2})) << "against the version that serves";
}

TEST_F(GateCheck, KeepsTheWholeDecisionInTheLog) {
  Record(2, 1, true);
  const auto events = RolloutFiles(root_ / "face").Log(10).value();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].action, "gate");
  EXPECT_EQ(events[0].version, 2);
  EXPECT_NE(events[0].gate.find("unmask.gate/1"), std::string::npos);
  EXPECT_FALSE(RolloutFiles(root_ / "face").RecordGate(2, "", "{}"));
  EXPECT_FALSE(RolloutFiles(root_ / "face").RecordGate(2, "", "nothing"));
}

}  // namespace
}  // namespace unmask
