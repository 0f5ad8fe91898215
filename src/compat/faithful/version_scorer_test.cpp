// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/version_scorer.hpp"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kFace = fs::path(UNMASK_SOURCE_DIR) / "models/face/1";  // RGB, 160x160, (x - 127.5) / 127.5

/// Gives the first number of its input.
class Echo final : public Network {
 public:
  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    if (input.values.empty()) return Fail(ErrorCode::kBadRequest, "no number");
    return std::vector<Tensor>{{.name = "logit", .shape = {1, 1}, .values = {input.values.front()}}};
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::size_t width() const override { return 3; }
  std::vector<std::int64_t> input_shape() const override { return {1, 2}; }
};

TEST(Probabilities, AreOfWhatTheContractAsksFor) {
  for (const float odds : {-30.0F, -1.5F, 0.0F, 0.25F, 30.0F}) {
    const float fake = 1 / (1 + std::exp(-odds));
    for (const bool real : {false, true}) {
      const auto network = Probabilities(std::make_shared<Echo>(), real);
      const auto outputs = network->Infer({.shape = {1, 2}, .values = {odds, 7}});
      ASSERT_TRUE(outputs);
      EXPECT_NEAR((*outputs)[0].values.at(0), real ? 1 - fake : fake, 1e-6) << odds;
      network->Start({.shape = {1, 2}, .values = {odds, 7}}, {}, [&](const auto& later) {
        ASSERT_TRUE(later);
        EXPECT_EQ((*later)[0].values, (*outputs)[0].values);
      });
    }
  }
}

TEST(Probabilities, AreOtherwiseTheNetworkItself) {
  const auto network = Probabilities(std::make_shared<Echo>(), true);
  EXPECT_EQ(network->width(), 3U);
  EXPECT_THAT(network->input_shape(), testing::ElementsAre(1, 2));
  EXPECT_EQ(network->Infer({}).error().message, "no number");
}

TEST(VersionScorer, KnowsAVersionByItsCard) {
  EXPECT_TRUE(IsVersionFolder(kFace));
  EXPECT_TRUE(IsVersionFolder(kFace / ""));
  EXPECT_FALSE(IsVersionFolder(kFace.parent_path()));
  EXPECT_FALSE(IsVersionFolder(kFace / "model.json"));
}

TEST(VersionScorer, RefusesANetworkThatTakesOtherCropsThanTheContractHas) {
  const struct {
    cv::Size crop;
    CropValues values;
  } cases[] = {
      {{256, 256}, {.channels = Channels::kRgb, .range = 127.5}},
      {{160, 160}, {.channels = Channels::kBgr, .range = 127.5}},
      {{160, 160}, {.channels = Channels::kRgb, .range = 255}},
      {{160, 160}, {.channels = Channels::kRgb, .range = 127.5}},  // its mean is not nought
  };
  for (const auto& wrong : cases) {
    const auto scorer = LoadVersionScorer(kFace, wrong.crop, wrong.values, false, {});
    ASSERT_FALSE(scorer);
    EXPECT_EQ(scorer.error().code, ErrorCode::kBadRequest);
    EXPECT_THAT(scorer.error().message,
                AllOf(HasSubstr("face:1 takes 160x160 pixels, red first, (x - 127.5) / 127.5"),
                      HasSubstr("the contract's crops are")));
  }
}

TEST(VersionScorer, RefusesAFolderThatIsNoVersion) {
  const fs::path folder = fs::path(testing::TempDir()) / "no-version";
  fs::create_directories(folder);
  const auto scorer = LoadVersionScorer(folder, {160, 160}, {}, false, {});
  ASSERT_FALSE(scorer);
  EXPECT_THAT(scorer.error().message, HasSubstr("no version of a model repository"));
}

}  // namespace
}  // namespace unmask::compat
