// SPDX-License-Identifier: Apache-2.0
#include "serving/model_set.hpp"

#include <filesystem>
#include <future>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/id.hpp"
#include "serving/fake_network.hpp"

namespace unmask::serving {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double kLong = 20;  // seconds: a test that fails waits so long, others a few milliseconds

Result<ServedModel::Loaded> LoadFake(const ModelCard& card, const std::stop_token& = {}) {
  ServedModel::Loaded loaded{.scorer = std::make_unique<Scorer>(card, std::make_unique<FakeNetwork>())};
  loaded.tensors = ProbeTensors(card, loaded.scorer->network());
  return loaded;
}

class FollowedModel : public testing::Test {
 protected:
  ~FollowedModel() override { fs::remove_all(root_); }

  void Put(int version) {
    const fs::path folder = root_ / "face" / std::to_string(version);
    fs::create_directories(folder);
    json card = json::parse(ReadSmallFile(fs::path(UNMASK_SOURCE_DIR) / "models/face/1/model.json").value());
    card["version"] = version;
    ASSERT_TRUE(WriteFileAtomically(folder / "model.json", card.dump()));
  }

  void Follow(ServedModel::Load later = LoadFake, const std::string& policy = "all") {
    auto model = ServedModel::Create(
        {.root = root_, .name = "face", .policy = *ParseVersionPolicy(policy), .interval = 3600}, LoadFake,
        std::move(later));
    ASSERT_TRUE(model) << model.error().message;
    model_ = std::move(*model);
    offered_ = OfferFollowed(model_);
  }

  void Change(const Rollout& rollout) {
    ASSERT_TRUE(
        model_->Change("cli", "promote", "", [&](const Rollout&) { return Result<Rollout>(rollout); }));
  }

  bool Reaches(int version, VersionState state) {
    return model_->Await(
        [&](const std::vector<VersionStatus>& all) {
          for (const auto& status : all)
            if (status.version == version) return status.state == state;
          return false;
        },
        kLong);
  }

  /// The version that answers; 0: none does.
  int Answers(const std::string& which) {
    const auto network = offered_->Take(which);
    EXPECT_TRUE(network) << network.error().message;
    return *network ? (*network)->card().version : 0;
  }

  const fs::path root_ = fs::temp_directory_path() / ("unmask-offered-" + NewId());
  std::shared_ptr<ServedModel> model_;
  std::shared_ptr<const OfferedModel> offered_;
};

TEST_F(FollowedModel, OffersEveryAvailableVersionByNumberAndTheOneThatServes) {
  Put(1);
  Put(2);
  Follow();
  ASSERT_TRUE(Reaches(1, VersionState::kAvailable));
  EXPECT_EQ(Answers(""), 2);
  EXPECT_EQ(Answers("1"), 1);
  EXPECT_EQ(Answers("2"), 2);
  for (const char* absent : {"0", "3", "-1", "1x", "99999999999999999999", "other", "stable", "canary"})
    EXPECT_EQ(Answers(absent), 0) << absent;
}

TEST_F(FollowedModel, FollowsTheLabels) {
  Put(1);
  Put(2);
  Follow();
  ASSERT_TRUE(Reaches(1, VersionState::kAvailable));
  Change({.stable = 1, .canary = 2, .percent = 5});
  EXPECT_EQ(Answers(""), 1);
  EXPECT_EQ(Answers("stable"), 1);
  EXPECT_EQ(Answers("canary"), 2);
  EXPECT_EQ(offered_->VersionOf("canary"), 2);
  EXPECT_EQ(offered_->VersionOf("other"), std::nullopt);
  Change({.stable = 2});
  EXPECT_EQ(Answers("stable"), 2);
  EXPECT_EQ(Answers("canary"), 0);
  EXPECT_EQ(offered_->VersionOf("canary"), std::nullopt);
}

TEST_F(FollowedModel, AnswersWithTheVersionBeforeWhileTheLabelledOneLoads) {
  Put(1);
  std::promise<void> go;
  Follow([loading = go.get_future().share()](const ModelCard& card, const std::stop_token&) {
    loading.wait();
    return LoadFake(card);
  });
  Put(2);
  Change({.stable = 2});
  ASSERT_TRUE(Reaches(2, VersionState::kLoading));
  EXPECT_EQ(Answers("stable"), 1);
  EXPECT_EQ(Answers("2"), 0) << "it cannot be asked yet";
  EXPECT_EQ(offered_->Status().back().state, VersionState::kLoading);
  go.set_value();
  ASSERT_TRUE(Reaches(2, VersionState::kAvailable));
  EXPECT_EQ(Answers("stable"), 2);
}

TEST_F(FollowedModel, KeepsAVersionLoadedWhileItsNetworkIsHeld) {
  Put(1);
  Follow(LoadFake, "latest");
  auto network = *offered_->Take("");
  Put(2);
  model_->LookNow();
  ASSERT_TRUE(Reaches(1, VersionState::kUnloading));
  EXPECT_EQ(Answers("1"), 0) << "it takes no new requests";
  const auto outputs = network->Predict(std::vector<float>{1, 2, 3, 4, 5, 6}, 1);
  ASSERT_TRUE(outputs);
  EXPECT_EQ(outputs->front().values, std::vector<float>{21});
  network.reset();
  EXPECT_TRUE(Reaches(1, VersionState::kEnd));
}

TEST_F(FollowedModel, SaysWhyANetworkCannotBeOffered) {
  Put(1);
  Put(2);
  Follow([](const ModelCard& card, const std::stop_token&) {
    auto loaded = LoadFake(card);
    loaded->tensors = Fail(ErrorCode::kInternal, "its input has an open shape");
    return loaded;
  });
  ASSERT_TRUE(Reaches(1, VersionState::kAvailable));
  const auto network = offered_->Take("1");
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().message, "its input has an open shape");
}

TEST(FixedModel, OffersVersionsByNumberAndTheHighestOne) {
  const auto model = OfferFixed({FakeServed(3), FakeServed(11), FakeServed(2), FakeServed(3)});
  EXPECT_EQ((*model->Take(""))->card().version, 11);
  EXPECT_EQ((*model->Take("3"))->card().version, 3);
  EXPECT_EQ(*model->Take("4"), nullptr);
  EXPECT_EQ(*model->Take("stable"), nullptr);
  const auto all = model->Status();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all.front().version, 2);
  EXPECT_TRUE(all.back().serving);
}

TEST(ModelSet, FindsModelsByName) {
  const ModelSet set({OfferFixed({FakeServed()})});
  ASSERT_NE(set.Find("fake"), nullptr);
  EXPECT_EQ(set.Find("other"), nullptr);
}

}  // namespace
}  // namespace unmask::serving
