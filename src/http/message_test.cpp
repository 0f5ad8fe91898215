// SPDX-License-Identifier: Apache-2.0
#include "http/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/metrics.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"

namespace unmask::http {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

TEST(Headers, CompareNamesWithoutCase) {
  Headers headers;
  headers.Add("Content-Type", "a");
  headers.Add("X", "1");
  headers.Add("x", "2");
  EXPECT_EQ(*headers.Find("content-type"), "a");
  EXPECT_EQ(headers.Count("X"), 2u);
  headers.Set("x", "3");
  EXPECT_EQ(headers.Count("X"), 1u);
  EXPECT_EQ(headers.Find("none"), nullptr);
}

TEST(SerializeHead, AddsSecurityHeadersUnlessTheResponseHasItsOwn) {
  Response response;
  response.headers.Set("Content-Security-Policy", "script-src 'self'");
  const auto head = SerializeHead(response, {.now = 784111777, .trace_id = "abc", .content_length = 5});
  EXPECT_THAT(head, HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Security-Policy: script-src 'self'\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("default-src")));
  EXPECT_THAT(head, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Trace-Id: abc\r\n"));
  EXPECT_THAT(head, HasSubstr("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
}

TEST(SerializeHead, LetsNoValueSmuggleALine) {
  Response response;
  response.headers.Set("Location", "/a\r\nSet-Cookie: b");
  EXPECT_THAT(SerializeHead(response, {}), HasSubstr("Location: /a  Set-Cookie: b\r\n"));
}

TEST(SerializeHead, GivesNoLengthWithoutContent) {
  EXPECT_THAT(SerializeHead({.status = 204}, {.content_length = 0}),
              Not(AnyOf(HasSubstr("Content-Length"), HasSubstr("\nContent-Type:"))));
}

TEST(TraceId, ComesFromAValidTraceparent) {
  const std::string valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(TraceIdFrom(&valid), "0af7651916cd43dd8448eb211c80319c");
}

TEST(TraceId, IsNewOtherwise) {
  for (const std::string invalid :
       {"", "00-0af7651916cd43dd8448eb211c80319c", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"}) {
    EXPECT_EQ(TraceIdFrom(&invalid).size(), 16u) << invalid;
  }
  EXPECT_NE(TraceIdFrom(nullptr), TraceIdFrom(nullptr));
}

TEST(Query, DecodesNamesAndValues) {
  const auto query = ParseQuery("a=1&b=x%20y+z&c&=d&&e=%C3%A9=");
  ASSERT_TRUE(query);
  const std::vector<Parameter> expected{{"a", "1"}, {"b", "x y z"}, {"c", ""}, {"", "d"}, {"e", "\u00e9="}};
  EXPECT_EQ(*query, expected);
}

TEST(Query, RefusesMalformedEscapes) {
  for (const auto* text : {"a=%", "a=%4", "%zz=1", "a=%00"}) EXPECT_FALSE(ParseQuery(text)) << text;
}

class QueryReaderTest : public testing::Test {
 protected:
  QueryReader Read(const std::string& query) {
    request_.query = *ParseQuery(query);
    return QueryReader(request_);
  }
  Request request_;
};

TEST_F(QueryReaderTest, ReadsNumbersInTheirRange) {
  EXPECT_EQ(Read("fps=2.5").Number("fps", 0.01, 60, 2), 2.5);
  EXPECT_EQ(Read("").Number("fps", 0.01, 60, 2), 2.0);
  EXPECT_EQ(Read("n=7").Integer("n", 1, 9, 2), 7);
}

TEST_F(QueryReaderTest, NamesParameterRangeAndValueInItsErrors) {
  const auto error = Read("fps=99").Number("fps", 0.01, 60, 2).error();
  EXPECT_EQ(error.code, ErrorCode::kBadRequest);
  EXPECT_EQ(error.message, "fps must be a number between 0.01 and 60, found '99'");
}

TEST_F(QueryReaderTest, RefusesWhatIsOnlyPartlyANumber) {
  for (const auto* value :
       {"", "1x", " 1", "1%20", "nan", "inf", "-inf", "1e1", "0x1", "%2B1", "1,5", "0.001", "61"})
    EXPECT_FALSE(Read(std::string("fps=") + value).Number("fps", 0.01, 60, 2)) << value;
  for (const auto* value : {"", "1.0", "1x", "0", "10", "99999999999999999999"})
    EXPECT_FALSE(Read(std::string("n=") + value).Integer("n", 1, 9, 2)) << value;
}

TEST_F(QueryReaderTest, ReadsChoices) {
  EXPECT_EQ(*Read("mode=b").Choice("mode", {"a", "b"}), std::optional<std::size_t>(1));
  EXPECT_EQ(*Read("").Choice("mode", {"a", "b"}), std::nullopt);
  EXPECT_EQ(Read("mode=c").Choice("mode", {"a", "b"}).error().message, "mode must be a or b, found 'c'");
}

TEST_F(QueryReaderTest, RefusesUnknownAndRepeatedParameters) {
  EXPECT_TRUE(Read("a=1&b=2").Accepts({"a", "b"}));
  EXPECT_THAT(Read("fpss=1").Accepts({"fps", "mode"}).error().message,
              HasSubstr("'fpss', expected one of fps, mode"));
  EXPECT_THAT(Read("a=1&a=1").Accepts({"a"}).error().message, HasSubstr("twice"));
  EXPECT_FALSE(Read("a=1").Accepts({}));
}

TEST_F(QueryReaderTest, ShortensLongValuesInItsErrors) {
  EXPECT_LT(Read("n=" + std::string(10'000, 'x')).Integer("n", 1, 9, 2).error().message.size(), 200u);
}

TEST(Problem, HasTheMembersOfRfc9457AndOurs) {
  const auto response =
      Problem({ErrorCode::kLimitExceeded, "too long", "cut it", "max_duration"}, "trace", {{"id", "7"}});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto body = nlohmann::ordered_json::parse(response.body);
  EXPECT_EQ(body["type"], "urn:unmask:problem:limit_exceeded");
  EXPECT_EQ(body["status"], 422);
  EXPECT_EQ(body["detail"], "too long");
  EXPECT_EQ(body["code"], "limit_exceeded");
  EXPECT_EQ(body["trace_id"], "trace");
  EXPECT_EQ(body["hint"], "cut it");
  EXPECT_EQ(body["limit"], "max_duration");
  EXPECT_EQ(body["id"], "7");
}

TEST(Problem, MapsEveryCode) {
  const std::pair<ErrorCode, int> table[] = {
      {ErrorCode::kBadRequest, 400},       {ErrorCode::kNotFound, 404},
      {ErrorCode::kMethodNotAllowed, 405}, {ErrorCode::kConflict, 409},
      {ErrorCode::kTooLarge, 413},         {ErrorCode::kUnreadable, 422},
      {ErrorCode::kUnsupportedMedia, 415}, {ErrorCode::kUndecodable, 422},
      {ErrorCode::kLimitExceeded, 422},    {ErrorCode::kDecoderCrashed, 422},
      {ErrorCode::kOverloaded, 503},       {ErrorCode::kDecoderTimeout, 422},
      {ErrorCode::kCancelled, 409},        {ErrorCode::kInternal, 500}};
  for (const auto& [code, status] : table) EXPECT_EQ(HttpStatus(code), status) << CodeName(code);
}

TEST(Problem, TellsWhenToTryAgain) {
  EXPECT_TRUE(Problem({ErrorCode::kOverloaded, "full", "", ""}, "").headers.Find("Retry-After"));
}

TEST(Problem, SurvivesBytesThatAreNoUtf8) {
  EXPECT_NO_THROW(Problem({ErrorCode::kBadRequest, "found '\xff\xfe'", "", ""}, ""));
}

TEST(Metrics, CountRequestsByTemplateAndKnownMethod) {
  Metrics metrics;
  metrics.OnRequest("GET", "/v1/analyses/{id}", 200, 0.01, 0);
  metrics.OnRequest("EVIL\"}", "unknown", 400, 0.01, 5);
  const auto text = metrics.Serialize();
  EXPECT_THAT(
      text,
      HasSubstr("unmask_http_requests_total{method=\"GET\",route=\"/v1/analyses/{id}\",status=\"200\"} 1"));
  EXPECT_THAT(text, HasSubstr("method=\"other\""));
  EXPECT_THAT(text, Not(HasSubstr("EVIL")));
  EXPECT_THAT(text, HasSubstr("unmask_http_request_body_bytes_count 1"));
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(text, HasSubstr("process_open_fds "));
  EXPECT_THAT(text, HasSubstr("process_start_time_seconds 1"));
}

TEST(LogBuckets, RiseFromLeastToMost) {
  EXPECT_THAT(
      LogBuckets(0.001, 0.1, 10),
      testing::ElementsAre(testing::DoubleEq(0.001), testing::DoubleEq(0.01), testing::DoubleEq(0.1)));
}

}  // namespace
}  // namespace unmask::http
