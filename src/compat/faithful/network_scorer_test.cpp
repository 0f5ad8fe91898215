// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/network_scorer.hpp"

#include <filesystem>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"

namespace unmask::compat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Gives a crop's first value, scaled; remembers the shape that it saw.
class FirstValue : public Network {
 public:
  explicit FirstValue(std::vector<std::int64_t> shape) : shape_(std::move(shape)) {}

  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    seen = input;
    std::vector<Tensor> outputs(outputs_);
    for (Tensor& output : outputs) {
      output.shape = {1, numbers_};
      output.values.assign(numbers_, scale_ * input.values.front());
    }
    return outputs;
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::vector<std::int64_t> input_shape() const override { return shape_; }
  std::size_t width() const override { return 1; }

  std::vector<std::int64_t> shape_;
  std::size_t outputs_ = 1;
  std::size_t numbers_ = 1;
  float scale_ = 1;
  Tensor seen;
};

const cv::Size kCrop{4, 2};

Result<std::shared_ptr<FaceScorer>> Make(const std::shared_ptr<FirstValue>& network) {
  return MakeNetworkScorer(network, kCrop, {.name = "m"});
}

CropBatch TwoCrops() {
  CropBatch crops{.count = 2, .height = 2, .width = 4, .values = std::vector<float>(48)};
  for (std::size_t i = 0; i < crops.values.size(); ++i) crops.values[i] = static_cast<float>(i) / 48;
  return crops;
}

TEST(NetworkScorer, ScoresEachCropByItselfInOrder) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{1, 2, 4, 3}, {-1, 2, 4, 3}, {1, -1, -1, 3}, {-1, -1, -1, -1}}) {
    const auto network = std::make_shared<FirstValue>(shape);
    const auto scorer = Make(network);
    ASSERT_TRUE(scorer) << scorer.error().message;
    EXPECT_THAT(*(*scorer)->Score(TwoCrops(), {}), ElementsAre(0, 0.5f));
    EXPECT_THAT(network->seen.shape, ElementsAre(1, 2, 4, 3));
    EXPECT_EQ(network->seen.values[1], 25 / 48.0f);
  }
}

TEST(NetworkScorer, TurnsCropsForNetworksWhoseChannelsComeFirst) {
  const auto network = std::make_shared<FirstValue>(std::vector<std::int64_t>{-1, 3, 2, 4});
  const auto scorer = Make(network);
  ASSERT_TRUE(scorer) << scorer.error().message;
  ASSERT_TRUE((*scorer)->Score(TwoCrops(), {}));
  EXPECT_THAT(network->seen.shape, ElementsAre(1, 3, 2, 4));
  EXPECT_EQ(network->seen.values[1], 27 / 48.0f) << "the first channel of the second pixel";
  EXPECT_EQ(network->seen.values[8], 25 / 48.0f) << "the second channel of the first pixel";
}

TEST(NetworkScorer, RefusesAnotherInput) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{1, 4, 2, 3}, {1, 2, 4, 1}, {8, 2, 4, 3}, {1, 2, 4}, {}}) {
    const auto scorer = Make(std::make_shared<FirstValue>(shape));
    ASSERT_FALSE(scorer);
    EXPECT_EQ(scorer.error().code, ErrorCode::kBadRequest);
    EXPECT_THAT(scorer.error().message, HasSubstr("expected a network with an input of [1,2,4,3]"));
  }
  EXPECT_THAT(Make(std::make_shared<FirstValue>(std::vector<std::int64_t>{-1, 9, 9, 3})).error().message,
              HasSubstr("found [?,9,9,3]"));
}

TEST(NetworkScorer, RefusesAnotherOutput) {
  const auto network = std::make_shared<FirstValue>(std::vector<std::int64_t>{1, 2, 4, 3});
  network->numbers_ = 2;
  EXPECT_THAT(Make(network).error().message, AllOf(HasSubstr("one number"), HasSubstr("[1,2]")));
  network->numbers_ = 1;
  network->outputs_ = 2;
  EXPECT_THAT(Make(network).error().message, HasSubstr("one output, found 2"));
  EXPECT_EQ(Make(network).error().code, ErrorCode::kBadRequest);
}

TEST(NetworkScorer, RefusesNumbersThatAreNoProbabilities) {
  const auto network = std::make_shared<FirstValue>(std::vector<std::int64_t>{1, 2, 4, 3});
  const auto scorer = Make(network);
  ASSERT_TRUE(scorer);
  network->scale_ = 3;
  const auto scores = (*scorer)->Score(TwoCrops(), {});
  ASSERT_FALSE(scores);
  EXPECT_EQ(scores.error().code, ErrorCode::kInternal);
  EXPECT_THAT(scores.error().message, HasSubstr("from 0 to 1, found 1.5"));
}

TEST(NetworkScorer, EndsWhenItIsStopped) {
  const auto scorer = Make(std::make_shared<FirstValue>(std::vector<std::int64_t>{1, 2, 4, 3}));
  ASSERT_TRUE(scorer);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ((*scorer)->Score(TwoCrops(), stop.get_token()).error().code, ErrorCode::kCancelled);
}

TEST(LoadNetworkScorer, SaysWhichFileDoesNotFit) {
  EXPECT_EQ(LoadNetworkScorer("/none/model.onnx", kCrop, {}).error().code, ErrorCode::kNotFound);
  const std::filesystem::path tflite =
      UNMASK_SOURCE_DIR "/third_party/detectors/face_detection_short_range.tflite";
  const auto scorer = LoadNetworkScorer(tflite, kCrop, {.threads = 1});
  ASSERT_FALSE(scorer);
  EXPECT_THAT(scorer.error().message, AllOf(HasSubstr("short_range.tflite"), HasSubstr("[1,128,128,3]")));
}

}  // namespace
}  // namespace unmask::compat
