// SPDX-License-Identifier: Apache-2.0
#include "model/served_model.hpp"

#include <filesystem>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "model/test_served.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr double kLong = 20;  // seconds: a test that fails waits so long, others a few milliseconds

class Served : public WithServedRepository {
 protected:
  Result<std::unique_ptr<ServedModel>> Create(ServedModel::Load later = LoadNothing,
                                              const std::string& policy = "latest") {
    return ServedModel::Create(
        {.root = root_, .name = "face", .policy = *ParseVersionPolicy(policy), .interval = 3600}, LoadNothing,
        std::move(later));
  }
};

std::optional<VersionStatus> Of(const std::vector<VersionStatus>& all, int version) {
  for (const auto& status : all)
    if (status.version == version) return status;
  return std::nullopt;
}

bool Reaches(const ServedModel& model, int version, VersionState state) {
  return model.Await(
      [&](const auto& all) {
        const auto status = Of(all, version);
        return status && status->state == state;
      },
      kLong);
}

bool Serves(const ServedModel& model, int version) {
  return model.Await(
      [&](const auto& all) {
        const auto status = Of(all, version);
        return status && status->serving;
      },
      kLong);
}

TEST_F(Served, BeginsWithTheHighestVersion) {
  Put(1);
  Put(2);
  const auto model = Create();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->card().version, 2);
  EXPECT_EQ((*model)->Take("")->scorer->card().version, 2);
  EXPECT_EQ((*model)->Take("")->label, "");
}

TEST_F(Served, BeginsWithTheStableVersionAndSaysSo) {
  Put(1);
  Put(2);
  Label({.stable = 1});
  const auto model = Create();
  ASSERT_TRUE(model);
  EXPECT_EQ((*model)->card().version, 1);
  EXPECT_EQ((*model)->Take("")->label, "stable");
}

TEST_F(Served, BeginsWithALowerVersionWhenTheHighestIsBroken) {
  Put(1);
  fs::create_directories(root_ / "face" / "2");
  ASSERT_TRUE(WriteFileAtomically(root_ / "face" / "2" / "model.json", "{"));
  const auto model = Create();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ((*model)->card().version, 1);
  const auto status = Of((*model)->Status(), 2);
  ASSERT_TRUE(status && status->error);
  EXPECT_EQ(status->state, VersionState::kEnd);
}

TEST_F(Served, DoesNotBeginWithoutAVersionOrWithABrokenStableOne) {
  fs::create_directories(root_ / "face");
  EXPECT_EQ(Create().error().code, ErrorCode::kNotFound);
  Put(1);
  Label({.stable = 2});
  const auto model = Create();
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().hint, HasSubstr("rollback face"));
}

TEST_F(Served, LetsTheOldVersionServeUntilTheNewOneIsAvailable) {
  Put(1);
  std::promise<void> begun;
  std::promise<void> go;
  const auto model = Create([&](const ModelCard& card, const std::stop_token&) {
    begun.set_value();
    go.get_future().wait();
    return LoadNothing(card);
  });
  ASSERT_TRUE(model);
  Put(2);
  (*model)->LookNow();
  begun.get_future().wait();
  EXPECT_EQ(Of((*model)->Status(), 2)->state, VersionState::kLoading);
  EXPECT_EQ((*model)->Take("")->scorer->card().version, 1);
  go.set_value();
  EXPECT_TRUE(Serves(**model, 2));
  EXPECT_EQ((*model)->Take("")->scorer->card().version, 2);
  EXPECT_TRUE(Reaches(**model, 1, VersionState::kEnd)) << "latest:1 keeps one";
}

TEST_F(Served, UnloadsAVersionWhenItsLastUseEnds) {
  Put(1);
  const auto model = Create();
  ASSERT_TRUE(model);
  auto first = std::make_optional(*(*model)->Take(""));
  auto second = std::make_optional(*(*model)->Take(""));
  Put(2);
  (*model)->LookNow();
  ASSERT_TRUE(Reaches(**model, 1, VersionState::kUnloading));
  EXPECT_EQ(Of((*model)->Status(), 1)->in_flight, 2);
  const std::weak_ptr<const Scorer> loaded = first->scorer;
  EXPECT_EQ(first->scorer->card().version, 1) << "usable to its end";
  first.reset();
  EXPECT_EQ(Of((*model)->Status(), 1)->state, VersionState::kUnloading);
  second.reset();
  EXPECT_TRUE(Reaches(**model, 1, VersionState::kEnd));
}

TEST_F(Served, OutlivesItsModelWhileInUse) {
  Put(1);
  auto model = Create();
  ASSERT_TRUE(model);
  const auto lease = *(*model)->Take("");
  model->reset();
  EXPECT_EQ(lease.scorer->card().version, 1);
}

TEST_F(Served, EndsALoadUnderWayWhenItGoes) {
  Put(1);
  std::promise<void> begun;
  auto model = Create([&](const ModelCard&, const std::stop_token& stop) -> Result<ServedModel::Loaded> {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    begun.set_value();
    std::condition_variable_any().wait(lock, stop, [] { return false; });
    return Fail(ErrorCode::kCancelled, "given up");
  });
  ASSERT_TRUE(model);
  Put(2);
  (*model)->LookNow();
  begun.get_future().wait();
  model->reset();
  const auto log = RolloutFiles(root_ / "face").Log(10);
  ASSERT_TRUE(log);
  EXPECT_TRUE(log->empty()) << "it says nothing of the version";
}

TEST_F(Served, TriesAFailedVersionAgainWhenItsFolderChanges) {
  Put(1);
  std::atomic<int> tries = 0;
  const auto model =
      Create([&](const ModelCard& card, const std::stop_token&) -> Result<ServedModel::Loaded> {
        ++tries;
        if (card.description != "good") return Fail(ErrorCode::kInternal, "it is bad");
        return LoadNothing(card);
      });
  ASSERT_TRUE(model);
  Put(2, "bad");
  (*model)->LookNow();
  ASSERT_TRUE((*model)->Await(
      [](const auto& all) {
        const auto status = Of(all, 2);
        return status && status->error && status->error->message == "it is bad";
      },
      kLong));
  EXPECT_EQ((*model)->card().version, 1);
  const auto log = RolloutFiles(root_ / "face").Log(10);
  ASSERT_TRUE(log && log->size() == 1);
  EXPECT_EQ(log->front().action, "failed");
  EXPECT_EQ(log->front().version, 2);
  EXPECT_EQ(log->front().reason, "it is bad");

  Put(3);  // a look that changes nothing of 2: waiting for 3 shows that it is over
  (*model)->LookNow();
  ASSERT_TRUE(Reaches(**model, 3, VersionState::kEnd));
  EXPECT_EQ(tries, 2) << "2 was not tried again";
  fs::remove_all(root_ / "face" / "3");
  Put(2, "good");
  (*model)->LookNow();
  EXPECT_TRUE(Serves(**model, 2));
}

TEST_F(Served, SurvivesALoaderThatThrows) {
  Put(1);
  const auto model = Create([](const ModelCard&, const std::stop_token&) -> Result<ServedModel::Loaded> {
    throw std::runtime_error("boom");
  });
  ASSERT_TRUE(model);
  Put(2);
  (*model)->LookNow();
  ASSERT_TRUE((*model)->Await([](const auto& all) { return Of(all, 2) && Of(all, 2)->error; }, kLong));
  EXPECT_THAT(Of((*model)->Status(), 2)->error->message, HasSubstr("boom"));
  EXPECT_EQ((*model)->card().version, 1);
}

TEST_F(Served, FollowsTheLabels) {
  Put(1);
  Put(2);
  Label({.stable = 1});
  const auto model = Create();
  ASSERT_TRUE(model);
  ASSERT_TRUE(Reaches(**model, 2, VersionState::kAvailable)) << "the policy loads it, the label decides";
  EXPECT_EQ((*model)->card().version, 1);
  Label({.stable = 2, .previous = 1});
  (*model)->LookNow();
  EXPECT_TRUE(Serves(**model, 2));
  EXPECT_EQ((*model)->Take("")->label, "stable");
  Label({.stable = 1});
  (*model)->LookNow();
  EXPECT_TRUE(Serves(**model, 1)) << "loaded again";
}

TEST_F(Served, KeepsServingWhenTheRepositoryGoesAway) {
  Put(1);
  Label({.stable = 1});
  const auto model = Create();
  ASSERT_TRUE(model);
  fs::remove_all(root_);
  (*model)->LookNow();
  fs::create_directories(root_ / "face");
  Put(2);
  (*model)->LookNow();
  ASSERT_TRUE(Serves(**model, 2)) << "without labels the highest";
}

TEST_F(Served, KeepsTheLabelsInForceWhenTheirFileIsDamaged) {
  Put(1);
  Put(2);
  Label({.stable = 1});
  const auto model = Create();
  ASSERT_TRUE(model);
  ASSERT_TRUE(Reaches(**model, 2, VersionState::kAvailable));
  ASSERT_TRUE(WriteFileAtomically(root_ / "face" / "rollout.json", "{"));
  Put(3);
  (*model)->LookNow();
  ASSERT_TRUE(Reaches(**model, 3, VersionState::kAvailable));
  EXPECT_EQ((*model)->card().version, 1);
}

TEST_F(Served, DoesNotSeeAVersionWithoutItsCard) {
  Put(1);
  fs::create_directories(root_ / "face" / "2");
  ASSERT_TRUE(WriteFileAtomically(root_ / "face" / "2" / "face.bin", "half"));
  const auto model = Create();
  ASSERT_TRUE(model);
  EXPECT_FALSE(Of((*model)->Status(), 2));
}

TEST_F(Served, RefusesAFolderThatLeadsOutAndOneOfAnotherVersion) {
  Put(1);
  const auto model = Create(LoadNothing, "all");
  ASSERT_TRUE(model);
  const fs::path outside = root_.string() + "-outside";
  fs::rename(root_ / "face" / "1", outside);
  Put(1);
  fs::create_directory_symlink(outside, root_ / "face" / "2");
  fs::copy(root_ / "face" / "1", root_ / "face" / "3");
  (*model)->LookNow();
  EXPECT_TRUE((*model)->Await(
      [](const auto& all) { return Of(all, 2) && Of(all, 2)->error && Of(all, 3) && Of(all, 3)->error; },
      kLong));
  EXPECT_THAT(Of((*model)->Status(), 2)->error->message, HasSubstr("link out of the repository"));
  EXPECT_THAT(Of((*model)->Status(), 3)->error->message, HasSubstr("its own name and version"));
  fs::remove_all(outside);
}

}  // namespace
}  // namespace unmask
