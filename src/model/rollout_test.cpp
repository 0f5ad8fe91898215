// SPDX-License-Identifier: Apache-2.0
#include "model/rollout.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/id.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

std::string HashOf(int i) {
  Sha256 hash;
  hash.Update(std::to_string(i));
  return hash.Finish();
}

TEST(Promote, MakesTheCanaryStableAndRemembersWhoWas) {
  const auto next = Promote({.stable = 1, .canary = 2, .percent = 5, .shadow = true}, {}, 1);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, (Rollout{.stable = 2, .previous = 1}));
}

TEST(Promote, WithoutLabelsRemembersWhoServed) {
  EXPECT_EQ(*Promote({}, 1, 2), (Rollout{.stable = 1, .previous = 2}));
  EXPECT_EQ(*Promote({}, 2, 2), (Rollout{.stable = 2}));
}

TEST(Promote, LeavesACanaryThatIsStillAhead) {
  const auto next = Promote({.stable = 1, .canary = 3, .percent = 5}, 2, 1);
  EXPECT_EQ(*next, (Rollout{.stable = 2, .canary = 3, .previous = 1, .percent = 5}));
}

TEST(Promote, RefusesWhatChangesNothing) {
  EXPECT_EQ(Promote({.stable = 1}, {}, 1).error().code, ErrorCode::kConflict);
  EXPECT_EQ(Promote({.stable = 1}, 1, 1).error().code, ErrorCode::kConflict);
}

TEST(Rollback, TakesTheCanaryBackFirstThenTheStableVersion) {
  const Rollout begin{.stable = 2, .canary = 3, .previous = 1, .percent = 5, .shadow = true};
  const auto once = Rollback(begin);
  EXPECT_EQ(*once, (Rollout{.stable = 2, .previous = 1}));
  const auto twice = Rollback(*once);
  EXPECT_EQ(*twice, (Rollout{.stable = 1}));
  EXPECT_EQ(Rollback(*twice).error().code, ErrorCode::kConflict);
}

TEST(Route, LabelsWhoServesAndSendsAShareToTheCanary) {
  EXPECT_EQ(*Route({}, 2, 5, false, 1), (Rollout{.stable = 1, .canary = 2, .percent = 5}));
  EXPECT_EQ(*Route({.stable = 1, .canary = 2, .percent = 5}, {}, 50, true, 1),
            (Rollout{.stable = 1, .canary = 2, .percent = 50, .shadow = true}));
}

TEST(Route, RefusesACanaryThatIsNoneAndSharesThatAreNone) {
  EXPECT_EQ(Route({.stable = 1}, {}, 5, false, 1).error().code, ErrorCode::kConflict);
  EXPECT_EQ(Route({.stable = 1}, 1, 5, false, 1).error().code, ErrorCode::kConflict);
  EXPECT_EQ(Route({}, 1, 5, false, 1).error().code, ErrorCode::kConflict);
  for (const double percent : {-0.1, 100.1, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_EQ(Route({.stable = 1}, 2, percent, false, 1).error().code, ErrorCode::kBadRequest);
}

TEST(MeetsCanary, GivesEveryShareItsPartOfTheFiles) {
  constexpr int kFiles = 20000;
  for (const double percent : {0.0, 1.0, 5.0, 50.0, 99.0, 100.0}) {
    int met = 0;
    for (int i = 0; i < kFiles; ++i) met += MeetsCanary(HashOf(i), percent) ? 1 : 0;
    const double share = percent / 100;
    const double deviation = std::sqrt(kFiles * share * (1 - share));
    EXPECT_NEAR(met, kFiles * share, 4 * deviation + 1e-9) << percent;
  }
}

TEST(MeetsCanary, KeepsAFileWithTheCanaryWhenTheShareRises) {
  for (int i = 0; i < 1000; ++i) {
    bool met = false;
    for (const double percent : {1.0, 5.0, 20.0, 60.0, 100.0}) {
      const bool meets = MeetsCanary(HashOf(i), percent);
      EXPECT_TRUE(meets || !met) << HashOf(i) << " left the canary at " << percent;
      EXPECT_EQ(meets, MeetsCanary(HashOf(i), percent));
      met = meets;
    }
    EXPECT_TRUE(met);
  }
}

TEST(MeetsCanary, SendsWhatIsNoHashToStable) {
  EXPECT_FALSE(MeetsCanary("", 100));
  EXPECT_FALSE(MeetsCanary("0123", 100));
  EXPECT_FALSE(MeetsCanary("not a hash at all", 100));
}

class Files : public testing::Test {
 protected:
  Files() { fs::create_directories(folder_); }
  ~Files() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }
  Result<Rollout> Set(const Rollout& next, std::string_view reason = "") {
    return files_.Change("cli", "promote", reason, [&](const Rollout&) -> Result<Rollout> { return next; });
  }

  const fs::path folder_ = fs::temp_directory_path() / ("unmask-rollout-" + NewId());
  const RolloutFiles files_{folder_};
};

TEST_F(Files, AreAbsentAtFirst) {
  EXPECT_EQ(files_.Read().value(), Rollout{});
  EXPECT_THAT(files_.Log(10).value(), SizeIs(0));
}

TEST_F(Files, KeepWhatWasSetAndWhoSetIt) {
  const Rollout first{.stable = 1};
  const Rollout second{.stable = 1, .canary = 2, .previous = 3, .percent = 12.5, .shadow = true};
  ASSERT_TRUE(Set(first, "first"));
  ASSERT_TRUE(Set(second, "second\nline \"x\" \xff"));
  EXPECT_EQ(files_.Read().value(), second);
  const auto log = files_.Log(10).value();
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log[0].from, Rollout{});
  EXPECT_EQ(log[0].to, first);
  EXPECT_EQ(log[1].from, first);
  EXPECT_EQ(log[1].to, second);
  EXPECT_EQ(log[1].actor, "cli");
  EXPECT_THAT(log[1].reason, HasSubstr("second\nline \"x\""));
  EXPECT_THAT(log[1].time, testing::MatchesRegex("....-..-..T..:..:..Z"));
}

TEST_F(Files, ChangeNothingWhenTheChangeIsRefused) {
  ASSERT_TRUE(Set({.stable = 1}));
  const auto refused = files_.Change("cli", "rollback", "", Rollback);
  ASSERT_FALSE(refused);
  EXPECT_EQ(files_.Read().value(), (Rollout{.stable = 1}));
  EXPECT_THAT(files_.Log(10).value(), SizeIs(1));
}

TEST_F(Files, SayThatTheFolderCannotBeWritten) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
  const auto changed = Set({.stable = 1});
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().hint, HasSubstr("nothing was changed"));
  EXPECT_EQ(files_.Read().value(), Rollout{});
}

TEST_F(Files, ChangeNothingWhenTheLogCannotBeWritten) {
  ASSERT_EQ(::symlink("/dev/full", (folder_ / "rollout.log").c_str()), 0);
  const auto changed = Set({.stable = 1});
  ASSERT_FALSE(changed) << "followed a link";
  EXPECT_EQ(files_.Read().value(), Rollout{});
}

TEST_F(Files, TakeBackTheLogWhenTheLabelsCannotBeWritten) {
  ASSERT_TRUE(Set({.stable = 1}));
  fs::remove(folder_ / "rollout.json");
  fs::create_directories(folder_ / "rollout.json" / "in the way");
  EXPECT_FALSE(Set({.stable = 2}));
  EXPECT_THAT(files_.Log(10).value(), SizeIs(1));
}

TEST_F(Files, SayWhatIsDamaged) {
  for (const char* text : {"", "{", "[]", R"({"schema": "other"})",
                           R"({"schema":"unmask.rollout/1","stable":0,"canary":null,"previous":null,)"
                           R"("percent":0,"shadow":false})",
                           R"({"schema":"unmask.rollout/1","stable":1,"canary":1,"previous":null,)"
                           R"("percent":0,"shadow":false})",
                           R"({"schema":"unmask.rollout/1","stable":1,"canary":2,"previous":null,)"
                           R"("percent":101,"shadow":false})"}) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / "rollout.json", text));
    const auto read = files_.Read();
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr("damaged"));
  }
}

TEST_F(Files, ReadPastATornLineInTheLog) {
  ASSERT_TRUE(Set({.stable = 1}));
  const std::string before = ReadSmallFile(folder_ / "rollout.log").value();
  ASSERT_TRUE(WriteFileAtomically(folder_ / "rollout.log", before + before.substr(0, before.size() / 2)));
  ASSERT_TRUE(Set({.stable = 2}));
  const auto log = files_.Log(10).value();
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log[1].to.stable, 2);
}

TEST_F(Files, GiveTheNewestEvents) {
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(Set({.stable = i}));
  const auto log = files_.Log(2).value();
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log[0].to.stable, 4);
  EXPECT_EQ(log[1].to.stable, 5);
}

TEST_F(Files, LoseNoChangeOfSeveralAtOnce) {
  const auto count = [&] {
    for (int i = 0; i < 25; ++i)
      ASSERT_TRUE(files_.Change("api", "route", "", [](const Rollout& now) -> Result<Rollout> {
        return Rollout{.stable = now.stable.value_or(0) + 1};
      }));
  };
  {
    std::jthread a(count);
    std::jthread b(count);
  }
  EXPECT_EQ(files_.Read().value().stable, 50);
  EXPECT_THAT(files_.Log(100).value(), SizeIs(50));
}

}  // namespace
}  // namespace unmask
