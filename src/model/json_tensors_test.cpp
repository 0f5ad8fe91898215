// SPDX-License-Identifier: Apache-2.0
#include "model/json_tensors.hpp"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

JsonText Parsed(std::string_view text, const JsonLimits& limits = {}) {
  auto parsed = ParseJsonTensors(text, limits);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : JsonText{};
}

std::string Refusal(std::string_view text, const JsonLimits& limits = {}) {
  const auto parsed = ParseJsonTensors(text, limits);
  if (parsed) return "taken";
  EXPECT_EQ(parsed.error().code, ErrorCode::kBadRequest);
  return parsed.error().message;
}

TEST(JsonTensors, KeepNestedListsOfNumbersAsOneTensor) {
  const auto text = Parsed(R"({"a": [[1, 2.5, -3], [4e1, 5, 6]], "b": [[[7]], [[8]]]})");
  const JsonValue* const a = text.root.Find("a");
  ASSERT_TRUE(a);
  EXPECT_EQ(a->kind, JsonValue::Kind::kNumbers);
  EXPECT_THAT(a->shape, ElementsAre(2, 3));
  EXPECT_THAT(text.Numbers(*a), ElementsAre(1, 2.5, -3, 40, 5, 6));
  const JsonValue* const b = text.root.Find("b");
  ASSERT_TRUE(b);
  EXPECT_THAT(b->shape, ElementsAre(2, 1, 1));
  EXPECT_THAT(text.Numbers(*b), ElementsAre(7, 8));
}

TEST(JsonTensors, KeepEverythingElseAsItIs) {
  const auto text =
      Parsed(R"({"id": "x", "n": 3, "t": true, "z": null, "list": [{"v": [1]}, {"v": [2]}], "e": []})");
  EXPECT_EQ(text.root.Find("id")->text, "x");
  EXPECT_EQ(text.root.Find("n")->number, 3);
  EXPECT_TRUE(text.root.Find("t")->boolean);
  EXPECT_EQ(text.root.Find("z")->kind, JsonValue::Kind::kNull);
  EXPECT_EQ(text.root.Find("absent"), nullptr);
  EXPECT_THAT(text.root.Find("e")->shape, ElementsAre(0));
  const auto& items = text.root.Find("list")->items;
  ASSERT_EQ(items.size(), 2U);
  EXPECT_THAT(text.Numbers(*items[1].Find("v")), ElementsAre(2));
}

TEST(JsonTensors, RefuseWhatIsNoTensor) {
  EXPECT_THAT(Refusal("[[1, 2], [3]]"), HasSubstr("differ in length ([2] and [1])"));
  EXPECT_THAT(Refusal("[[1], [[2]]]"), HasSubstr("differ in length"));
  for (const char* mixed : {"[1, [2]]", "[[1], 2]", R"([1, "a"])", R"(["a", 1])", R"([[1], {}])", "[[], 1]"})
    EXPECT_THAT(Refusal(mixed), HasSubstr("numbers and other things")) << mixed;
}

TEST(JsonTensors, RefuseWhatIsNoJson) {
  for (const char* broken :
       {"", "[1", "[NaN]", "[Infinity]", "[-Infinity]", "{\"a\" 1}", "[1]]", "[1,]", "\xff", "01"})
    EXPECT_THAT(Refusal(broken), HasSubstr("not JSON: error at byte")) << broken;
  EXPECT_THAT(Refusal("[1e999]"), HasSubstr("too large"));
  EXPECT_THAT(Refusal("[1e39]"), HasSubstr("does not fit a 32-bit float"));
  EXPECT_THAT(Refusal(R"({"a": 1, "a": 2})"), HasSubstr("the name 'a' appears twice"));
}

TEST(JsonTensors, BoundWhatIsBuilt) {
  EXPECT_THAT(Refusal("[1,2,3]", {.max_numbers = 2}), HasSubstr("more than 2 numbers"));
  EXPECT_THAT(Refusal(R"(["a","b","c"])", {.max_values = 2}), HasSubstr("more than 2 values"));
  EXPECT_THAT(Refusal("[[],[],[]]", {.max_values = 2}), HasSubstr("more than 2 values"));
  EXPECT_THAT(Refusal(std::string(1'000'000, '['), {}), HasSubstr("nested deeper than 16"));
  std::string members = "{";
  for (int i = 0; i < 300; ++i) members += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
  EXPECT_THAT(Refusal(members + "}"), HasSubstr("more than 256 members"));
}

TEST(JsonTensors, CountWithoutOverflow) {
  const std::size_t huge[] = {std::size_t{1} << 40, std::size_t{1} << 40};
  EXPECT_FALSE(CountOf(huge, 1000));
  const std::size_t none[] = {std::size_t{1} << 40, 0};
  EXPECT_EQ(CountOf(none, std::size_t{1} << 41).value(), 0U);
  const std::size_t fits[] = {10, 100};
  EXPECT_EQ(CountOf(fits, 1000).value(), 1000U);
}

TEST(JsonTensors, WriteNumbersThatReadBackTheSame) {
  for (const float value : {0.1F, -0.0F, 1.0F, 1e-38F, 3.4e38F, 16777217.0F, -2.5e-7F}) {
    std::string text;
    AppendNumber(text, value);
    EXPECT_THAT(text, testing::ContainsRegex("[.e]"));
    EXPECT_EQ(std::strtof(text.c_str(), nullptr), value) << text;
  }
}

TEST(JsonTensors, WriteTensors) {
  const float values[] = {1, 2, 3, 4};
  std::string text;
  const std::size_t square[] = {2, 2};
  AppendTensor(text, values, square);
  EXPECT_EQ(text, "[[1.0,2.0],[3.0,4.0]]");
  text.clear();
  AppendTensor(text, values, square, true);
  EXPECT_EQ(text, "[[1,2],[3,4]]");
  text.clear();
  AppendTensor(text, std::span(values).first(1), {});
  EXPECT_EQ(text, "1.0");
  text.clear();
  AppendString(text, "a\"\n\xff");
  EXPECT_EQ(text, "\"a\\\"\\n\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace unmask
