// SPDX-License-Identifier: Apache-2.0
#include "compat/python.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compat/python_random.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;

// Expected values in this file are what CPython 3.11 and the frameworks themselves gave.

TEST(PythonFloat, IsTheShortestThatReadsBack) {
  EXPECT_EQ(PythonFloat(0.5), "0.5");
  EXPECT_EQ(PythonFloat(1), "1.0");
  EXPECT_EQ(PythonFloat(-0.0), "-0.0");
  EXPECT_EQ(PythonFloat(0.1), "0.1");
  EXPECT_EQ(PythonFloat(100), "100.0");
  EXPECT_EQ(PythonFloat(123456.789), "123456.789");
  EXPECT_EQ(PythonFloat(0.0001), "0.0001");
  EXPECT_EQ(PythonFloat(0.00001), "1e-05");
  EXPECT_EQ(PythonFloat(1.5e-7), "1.5e-07");
  EXPECT_EQ(PythonFloat(1e15), "1000000000000000.0");
  EXPECT_EQ(PythonFloat(1e16), "1e+16");
  EXPECT_EQ(PythonFloat(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(PythonFloat(5e-324), "5e-324");
  EXPECT_EQ(PythonFloat(1758019200.123456), "1758019200.123456");
  EXPECT_EQ(PythonFloat(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(PythonFloat(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(PythonFloat(std::nan("")), "nan");
}

TEST(PythonFloat, ShowsAFloat32AsTheDoubleThatItIs) {
  EXPECT_EQ(PythonFloat(Widen(0.62636232f)), "0.6263623237609863");
  EXPECT_EQ(PythonFloat(Widen(0.97650766f)), "0.9765076637268066");
  EXPECT_EQ(PythonFloat(Widen(0.1f)), "0.10000000149011612");
  EXPECT_EQ(PythonFloat(Widen(1.0f - 0.1f)), "0.8999999761581421");
}

TEST(FlaskJson, SortsKeysEscapesAndEndsWithANewline) {
  const ordered_json value = {{"predictions", {{{"probability", 0.5}, {"prediction", "Fake"}}}},
                              {"Z", nullptr},
                              {"a", {{"\u00fc", true}}},
                              {"_", ordered_json::array()},
                              {"o", ordered_json::object()}};
  EXPECT_EQ(FlaskJson(value),
            "{\"Z\":null,\"_\":[],\"a\":{\"\\u00fc\":true},\"o\":{},"
            "\"predictions\":[{\"prediction\":\"Fake\",\"probability\":0.5}]}\n");
  EXPECT_EQ(FlaskJson("\"\\/\n\x7f\U0001F600"), "\"\\\"\\\\/\\n\\u007f\\ud83d\\ude00\"\n");
}

TEST(FastApiJson, KeepsOrderAndUtf8) {
  ordered_json value;
  value["z"] = "\u00fc\x7f";
  value["a"] = {1, -2, 1.0, 18446744073709551615u};
  EXPECT_EQ(FastApiJson(value), "{\"z\":\"\u00fc\x7f\",\"a\":[1,-2,1.0,18446744073709551615]}");
}

TEST(FastApiJson, WritesNoNumberThatJsonLacksAndNoBrokenText) {
  EXPECT_EQ(FastApiJson(std::nan("")), "null");
  EXPECT_EQ(FastApiJson("a\xff"), "\"a\uFFFD\"");
}

TEST(ParsePythonInt, TakesWhatIntTakes) {
  EXPECT_EQ(ParsePythonInt("3"), 3);
  EXPECT_EQ(ParsePythonInt(" +1_0\n"), 10);
  EXPECT_EQ(ParsePythonInt("-007"), -7);
  EXPECT_EQ(ParsePythonInt("99999999999999999999"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(ParsePythonInt("-99999999999999999999"), std::numeric_limits<std::int64_t>::min());
  for (const char* text : {"", " ", "abc", "3.0", "1__0", "_1", "1_", "- 1", "+-1", "0x3", "1e3"})
    EXPECT_EQ(ParsePythonInt(text), std::nullopt) << text;
  EXPECT_EQ(ParsePythonInt(std::string_view("3\0", 2)), std::nullopt);
}

TEST(ParsePythonFloat, TakesWhatFloatTakes) {
  EXPECT_EQ(ParsePythonFloat(" 2.5 "), 2.5);
  EXPECT_EQ(ParsePythonFloat("+1_0.5e-1"), 1.05);
  EXPECT_EQ(ParsePythonFloat(".5"), 0.5);
  EXPECT_EQ(ParsePythonFloat("5."), 5.0);
  EXPECT_EQ(ParsePythonFloat("-Infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParsePythonFloat("INF"), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*ParsePythonFloat("-nan")));
  EXPECT_EQ(ParsePythonFloat("1e999"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParsePythonFloat("1e-999"), 0.0);
  for (const char* text : {"", "abc", "1 2", "0x1p3", "1e", "--1", "1_.5", ".", "in", "1,5"})
    EXPECT_EQ(ParsePythonFloat(text), std::nullopt) << text;
}

TEST(RoundHalfEven, RoundsHalvesToEven) {
  EXPECT_EQ(RoundHalfEven(12.5), 12);
  EXPECT_EQ(RoundHalfEven(2.5), 2);
  EXPECT_EQ(RoundHalfEven(7.5), 8);
  EXPECT_EQ(RoundHalfEven(14.985), 15);
  EXPECT_EQ(RoundHalfEven(-0.5), 0);
  EXPECT_EQ(RoundHalfEven(std::nan("")), std::nullopt);
  EXPECT_EQ(RoundHalfEven(1e19), std::nullopt);
}

TEST(WerkzeugPage, IsTheOriginalsByteForByte) {
  const auto error = WerkzeugPage(500);
  EXPECT_EQ(error.body.size(), 265u);
  EXPECT_EQ(error.content_type, "text/html; charset=utf-8");
  const auto limited = WerkzeugPage(429, "5 per 1 minute");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.body,
            "<!doctype html>\n<html lang=en>\n<title>429 Too Many Requests</title>\n"
            "<h1>Too Many Requests</h1>\n<p>5 per 1 minute</p>\n");
  EXPECT_EQ(limited.body.size(), 117u);
  EXPECT_EQ(WerkzeugPage(404).body,
            "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
            "<p>The requested URL was not found on the server. If you entered the URL manually please check "
            "your spelling and try again.</p>\n");
  EXPECT_EQ(WerkzeugPage(405).body,
            "<!doctype html>\n<html lang=en>\n<title>405 Method Not Allowed</title>\n"
            "<h1>Method Not Allowed</h1>\n<p>The method is not allowed for the requested URL.</p>\n");
}

TEST(FastApiInvalid, IsTheOriginalsByteForByte) {
  const auto missing =
      FastApiInvalid({{.type = "missing", .loc = {"body", "file"}, .message = "Field required"}});
  EXPECT_EQ(missing.status, 422);
  EXPECT_EQ(missing.body,
            R"({"detail":[{"type":"missing","loc":["body","file"],"msg":"Field required","input":null}]})");
  const auto text = FastApiInvalid({{.type = "value_error",
                                     .loc = {"body", "file"},
                                     .message = "Value error, Expected UploadFile, received: <class 'str'>",
                                     .input = "abc",
                                     .empty_error_context = true}});
  EXPECT_EQ(text.body, R"({"detail":[{"type":"value_error","loc":["body","file"],)"
                       R"("msg":"Value error, Expected UploadFile, received: <class 'str'>","input":"abc",)"
                       R"("ctx":{"error":{}}}]})");
  EXPECT_EQ(FastApiDetail(404, "Not Found").body, R"({"detail":"Not Found"})");
}

TEST(PythonRandom, DrawsWhatPythonDraws) {
  using Indices = std::vector<std::int64_t>;
  EXPECT_EQ(PythonRandom(1).Sample(75, 3), Indices({17, 72, 8}));
  EXPECT_EQ(PythonRandom(42).Sample(300, 3), Indices({57, 12, 140}));
  EXPECT_EQ(PythonRandom(0).Sample(10, 10), Indices({6, 9, 0, 2, 4, 3, 5, 1, 8, 7}));
  EXPECT_EQ(PythonRandom(0xfedcba9876543210u).Sample(100000, 8),
            Indices({37422, 47501, 9620, 10937, 74825, 97428, 90281, 4834}));
  EXPECT_EQ(PythonRandom(7).Sample(21, 4), Indices({10, 4, 12, 1}));
  EXPECT_EQ(PythonRandom(7).Sample(85, 6), Indices({41, 19, 50, 6, 9, 68}));
  EXPECT_EQ(PythonRandom(7).Sample(5, 0), Indices());
}

}  // namespace
}  // namespace unmask::compat
