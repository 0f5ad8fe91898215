// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/instances.hpp"

#include <cstdlib>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// The scores, or the error's message.
std::string Read(std::string_view answer, std::size_t count) {
  const auto scores = ReadPredictions(answer, count);
  return scores ? testing::PrintToString(*scores) : scores.error().message;
}

TEST(WriteInstances, NestsRowByRow) {
  const std::vector<float> values = {0, 0.5F, 1, 0.25F, 0.1F, 0.2F, 0.3F, 0.4F};
  EXPECT_EQ(WriteInstances(values, {.count = 2, .height = 1, .width = 2, .channels = 2}),
            R"({"instances": [[[[0,0.5],[1,0.25]]],[[[0.1,0.2],[0.3,0.4]]]]})");
  EXPECT_EQ(WriteInstances({}, {.count = 0, .height = 64, .width = 64}), R"({"instances": []})");
}

TEST(WriteInstances, KeepsEveryFloat) {
  std::vector<float> values;
  for (int i = 0; i < 256; ++i) values.push_back(static_cast<float>(i) / 255);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> pixel(0, 1);
  for (int i = 0; i < 20000; ++i) values.push_back(pixel(random));
  const std::string json =
      WriteInstances(values, {.count = 1, .height = 1, .width = 1, .channels = values.size()});
  const char* at = json.data() + std::string_view("{\"instances\": [[[[").size();
  for (const float value : values) {
    char* end = nullptr;
    // As a JSON parser does: a double first, then the tensor's type.
    ASSERT_EQ(static_cast<float>(std::strtod(at, &end)), value);
    at = end + 1;
  }
}

TEST(WriteInstances, WritesNothingThatIsNoNumber) {
  const std::vector<float> values = {kNaN, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(WriteInstances(values, {.count = 1, .height = 1, .width = 1, .channels = 2}),
            R"({"instances": [[[[0,0]]]]})");
}

TEST(ReadPredictions, TakesOneNumberForEachInstance) {
  EXPECT_EQ(Read(R"({"predictions": [[0.25], [0.5]]})", 2), "{ 0.25, 0.5 }");
  EXPECT_EQ(Read(R"({"predictions": [0.25, 1]})", 2), "{ 0.25, 1 }");
  EXPECT_EQ(Read(R"({"predictions": [[[0.25]], [[0.5]]]})", 2), "{ 0.25, 0.5 }");
  EXPECT_EQ(Read(R"({"predictions": [[0.25, 0.5]]})", 2), "{ 0.25, 0.5 }");
}

TEST(ReadPredictions, TakesASingleInstanceInAnyShape) {
  for (const char* const shape : {"0.25", "[0.25]", "[[0.25]]", "[[[0.25]]]"})
    EXPECT_EQ(Read(std::string(R"({"predictions": )") + shape + "}", 1), "{ 0.25 }") << shape;
}

TEST(ReadPredictions, LooksForTheThreeNamesInTheirOrder) {
  EXPECT_EQ(Read(R"({"result": [0.3], "outputs": [0.25], "predictions": [0.5]})", 1), "{ 0.5 }");
  EXPECT_EQ(Read(R"({"result": [0.3], "outputs": [0.25], "predictions": []})", 1), "{ 0.25 }");
  EXPECT_EQ(Read(R"({"result": [0.5], "outputs": null})", 1), "{ 0.5 }");
}

TEST(ReadPredictions, RefusesWhatIsNoScoreInTheContractsWords) {
  EXPECT_EQ(Read(R"({"foo": 1})", 1), R"(Malformed TF Serving response: {"foo": 1})");
  EXPECT_EQ(Read(R"({"predictions":[]})", 1), R"(Malformed TF Serving response: {"predictions": []})");
  EXPECT_EQ(Read("[1]", 1), "Malformed TF Serving response: [1]");
  EXPECT_EQ(Read("null", 1), "Malformed TF Serving response: null");
  for (const char* const wrong : {R"([["a"]])", "[[0.1], [0.2, 0.3]]", R"([{"score": 0.1}, {"score": 0.1}])",
                                  "[[0.1, 0.2], [0.3, 0.4]]", "[[0.1]]", "[[0.1], [null]]", "[[0.1], [NaN]]",
                                  "[[0.1], [-Infinity]]", "[[0.1], [true]]", "0.5"}) {
    const std::string answer = std::string(R"({"predictions": )") + wrong + "}";
    EXPECT_EQ(Read(answer, 2), "Malformed TF Serving response: " + answer);
    EXPECT_EQ(ReadPredictions(answer, 2).error().code, ErrorCode::kInternal);
  }
}

TEST(ReadPredictions, RepeatsPythonsWordsForWhatIsNoJson) {
  EXPECT_EQ(Read("<html>", 1), "Expecting value: line 1 column 1 (char 0)");
  EXPECT_EQ(Read(R"({"predictions": [[0.1)", 1), "Expecting ',' delimiter: line 1 column 22 (char 21)");
}

TEST(ReadPredictions, ShowsTheFirst400CharactersOnly) {
  const std::string answer = R"({"foo": ")" + std::string(10000, 'x') + "\"}";
  EXPECT_EQ(Read(answer, 1), "Malformed TF Serving response: " + answer.substr(0, 400));
}

}  // namespace
}  // namespace unmask::compat
