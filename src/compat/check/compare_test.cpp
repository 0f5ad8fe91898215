// SPDX-License-Identifier: Apache-2.0
#include "compat/check/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Difference::Kind;

constexpr auto kPredict = Contract::kPredictApi;

CheckedAnswer Answer(std::string body, long status = 200) {
  CheckedAnswer answer{.status = status, .body = std::move(body)};
  answer.headers.Add("content-type", "application/json");
  return answer;
}

/// "type meta.step", ...
std::vector<std::string> Words(const std::vector<Difference>& differences) {
  std::vector<std::string> words;
  for (const auto& d : differences) words.push_back(std::string(DifferenceName(d.kind)) + " " + d.where);
  return words;
}

std::vector<std::string> Compare(const std::string& theirs, const std::string& ours) {
  return Words(CompareAnswers(kPredict, Answer(theirs), Answer(ours)));
}

TEST(CompareAnswers, FindsNothingInEqualShapesWithOtherNumbers) {
  EXPECT_THAT(Compare(R"({"a":1.5,"b":[0.25],"c":null})", R"({"a":2.5,"b":[0.75],"c":null})"), IsEmpty());
}

TEST(CompareAnswers, TellsStatusAndHeaders) {
  auto theirs = Answer("{}", 400);
  auto ours = Answer("{}");
  theirs.headers.Add("Vary", "Origin");
  theirs.headers.Add("Server", "uvicorn");
  ours.headers.Set("Content-Type", "Application/JSON");
  ours.headers.Add("Access-Control-Allow-Origin", "*");
  const auto found = CompareAnswers(kPredict, theirs, ours);
  EXPECT_THAT(Words(found), ElementsAre("status ", "header Access-Control-Allow-Origin", "header Vary"));
  EXPECT_EQ(found[0].theirs, "400");
  EXPECT_EQ(found[0].ours, "200");
  for (const auto& difference : found) EXPECT_TRUE(difference.is_shape());
}

TEST(CompareAnswers, TellsMissingKeysAndAddedOnes) {
  const auto found =
      CompareAnswers(kPredict, Answer(R"({"meta":{"step":12}})"), Answer(R"({"meta":{},"unmask":{}})"));
  EXPECT_THAT(Words(found), ElementsAre("missing meta.step", "added unmask"));
  EXPECT_TRUE(found[0].is_shape());
  EXPECT_EQ(found[0].theirs, "12");
  EXPECT_FALSE(found[1].is_shape());
}

TEST(CompareAnswers, TellsTheOrderOfKeysThatBothHave) {
  EXPECT_THAT(Compare(R"({"a":1,"b":2})", R"({"b":2,"a":1})"), ElementsAre("order "));
  EXPECT_THAT(Compare(R"({"a":1,"b":2})", R"({"x":0,"a":1,"y":0,"b":2})"), ElementsAre("added x", "added y"));
}

TEST(CompareAnswers, TellsTypes) {
  EXPECT_THAT(Compare(R"({"a":1,"b":"1","c":null,"d":[]})", R"({"a":1.0,"b":1,"c":"","d":{}})"),
              ElementsAre("type a", "type b", "type c", "type d"));
}

TEST(CompareAnswers, TellsADifferenceOfItemsOnce) {
  EXPECT_THAT(Compare(R"({"s":[{"t":0.5},{"t":1.5},{"t":2.5}]})", R"({"s":[{"t":0},{"t":1}]})"),
              ElementsAre("length s", "type s[].t"));
}

TEST(CompareAnswers, TellsTexts) {
  const auto found =
      CompareAnswers(kPredict, Answer(R"({"detail":"Failed"})"), Answer(R"({"detail":"Broken"})"));
  EXPECT_THAT(Words(found), ElementsAre("text detail"));
  EXPECT_FALSE(found[0].is_shape());
  EXPECT_THAT(Compare("<p>one</p>", "<p>two</p>"), ElementsAre("text "));
}

TEST(CompareAnswers, TellsJsonFromOtherThings) {
  EXPECT_THAT(Compare("<p>Internal Server Error</p>", R"({"error":"no"})"), ElementsAre("format "));
}

TEST(CompareAnswers, TakesARefusalBesideAVerdictForAnotherOutcome) {
  const auto found = CompareAnswers(Contract::kMicroserviceV1, Answer(R"([{"error":"No Face"},[]])"),
                                    Answer(R"([{"prediction":"Fake","probability":0.9}])"));
  EXPECT_THAT(Words(found), ElementsAre("outcome "));
  EXPECT_FALSE(found[0].is_shape());
  EXPECT_EQ(found[0].ours, "Fake 0.9000");
}

}  // namespace
}  // namespace unmask::compat
