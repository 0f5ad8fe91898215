// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/python_json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace unmask::compat {
namespace {

struct Case {
  const char* text;
  const char* result;  ///< "=" and json.dumps(json.loads(text)), or "!" and the error
};

// Recorded from CPython 3.11.
constexpr Case kRecorded[] = {
    {"", "!Expecting value: line 1 column 1 (char 0)"},
    {"{", "!Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
    {"[", "!Expecting value: line 1 column 2 (char 1)"},
    {"[1", "!Expecting ',' delimiter: line 1 column 3 (char 2)"},
    {"[1,", "!Expecting value: line 1 column 4 (char 3)"},
    {"[1,]", "!Expecting value: line 1 column 4 (char 3)"},
    {"[1 2]", "!Expecting ',' delimiter: line 1 column 4 (char 3)"},
    {"{\"a\"", "!Expecting ':' delimiter: line 1 column 5 (char 4)"},
    {"{\"a\":", "!Expecting value: line 1 column 6 (char 5)"},
    {"{\"a\":}", "!Expecting value: line 1 column 6 (char 5)"},
    {"{\"a\":1", "!Expecting ',' delimiter: line 1 column 7 (char 6)"},
    {"{\"a\":1,", "!Expecting property name enclosed in double quotes: line 1 column 8 (char 7)"},
    {"{\"a\":1,}", "!Expecting property name enclosed in double quotes: line 1 column 8 (char 7)"},
    {"{a:1}", "!Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
    {"{\"a\" 1}", "!Expecting ':' delimiter: line 1 column 6 (char 5)"},
    {"\"abc", "!Unterminated string starting at: line 1 column 1 (char 0)"},
    {"\"a\nb\"", "!Invalid control character at: line 1 column 3 (char 2)"},
    {"\"a\\x\"", "!Invalid \\escape: line 1 column 3 (char 2)"},
    {"\"a\\u12g4\"", "!Invalid \\uXXXX escape: line 1 column 4 (char 3)"},
    {"\"\\u00e9\\ud83d\\ude00\"", "=\"\\u00e9\\ud83d\\ude00\""},
    {"nul", "!Expecting value: line 1 column 1 (char 0)"},
    {"-", "!Expecting value: line 1 column 1 (char 0)"},
    {"01", "!Extra data: line 1 column 2 (char 1)"},
    {"1.", "!Extra data: line 1 column 2 (char 1)"},
    {"1.e5", "!Extra data: line 1 column 2 (char 1)"},
    {"-0", "=0"},
    {"-0.0", "=-0.0"},
    {"1e400", "=Infinity"},
    {"-1e400", "=-Infinity"},
    {"1e-400", "=0.0"},
    {"12345678901234567890", "=12345678901234567890"},
    {"NaN", "=NaN"},
    {"[Infinity,-Infinity]", "=[Infinity, -Infinity]"},
    {"{} x", "!Extra data: line 1 column 4 (char 3)"},
    {"\n\n  [1,\n 2 3]", "!Expecting ',' delimiter: line 4 column 4 (char 11)"},
    {"\"é\" x", "!Extra data: line 1 column 5 (char 4)"},
    {"{\"a\":1,\"a\":2}", "={\"a\": 2}"},
    {"[1.0,1e-5,1e16,123456789.5,true,false,null,\"é\\n\"]",
     "=[1.0, 1e-05, 1e+16, 123456789.5, true, false, null, \"\\u00e9\\n\"]"},
    {"{\"predictions\": [[0.626362324]\n    ]\n}", "={\"predictions\": [[0.626362324]]}"},
    {"[]", "=[]"},
    {"{}", "={}"},
    {" [ ] ", "=[]"},
    {" { } ", "={}"},
    {"[0.1,0.2,3]", "=[0.1, 0.2, 3]"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "=\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"<html>", "!Expecting value: line 1 column 1 (char 0)"},
    {"{\"predictions\": [[0.1", "!Expecting ',' delimiter: line 1 column 22 (char 21)"},
    {"\"tab\there\"", "!Invalid control character at: line 1 column 5 (char 4)"},
    {"\"abc\\", "!Unterminated string starting at: line 1 column 1 (char 0)"},
    {"tru", "!Expecting value: line 1 column 1 (char 0)"},
    {"+1", "!Expecting value: line 1 column 1 (char 0)"},
    {"{'a':1}", "!Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
};

TEST(PythonJson, ReadsAndWritesAsPythonDoes) {
  for (const auto& [text, result] : kRecorded) {
    const auto parsed = ParsePythonJson(text);
    EXPECT_EQ(parsed ? "=" + DumpPythonJson(*parsed) : "!" + parsed.error().message, result) << text;
  }
}

TEST(PythonJson, EndsAtDeepNesting) {
  EXPECT_TRUE(ParsePythonJson(std::string(60, '[') + std::string(60, ']')));
  EXPECT_FALSE(ParsePythonJson(std::string(1'000'000, '[')));
}

TEST(PythonJson, ReplacesHalfASurrogatePair) {
  EXPECT_EQ(ParsePythonJson(R"("\ud83dx")")->get<std::string>(), "\xef\xbf\xbdx");
}

TEST(FirstCharacters, CutsBetweenCharacters) {
  EXPECT_EQ(FirstCharacters("abc", 5), "abc");
  EXPECT_EQ(FirstCharacters("abc", 2), "ab");
  EXPECT_EQ(FirstCharacters("\xc3\xa9\xc3\xa9x", 2), "\xc3\xa9\xc3\xa9");
  EXPECT_EQ(FirstCharacters("abc", 0), "");
}

}  // namespace
}  // namespace unmask::compat
