// SPDX-License-Identifier: Apache-2.0
#include "render/text.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"

namespace unmask {
namespace {

TEST(EscapeForTerminal, LeavesTextAlone) {
  EXPECT_EQ(EscapeForTerminal("Größe 人 🙂.mp4"), "Größe 人 🙂.mp4");
}

TEST(EscapeForTerminal, ShowsControlCharacters) {
  EXPECT_EQ(EscapeForTerminal("a\n\t\r\x1b[2J\x7f"), "a\\n\\t\\r\\x1b[2J\\x7f");
  EXPECT_EQ(EscapeForTerminal("\xc2\x9b"
                              "31m"),
            "\\x9b31m");  // C1: the eight-bit escape sequence
}

TEST(EscapeForTerminal, ShowsMarksThatTurnTheDirection) {
  EXPECT_EQ(EscapeForTerminal("gpj\xe2\x80\xae"
                              "exe"),
            "gpj\\u{202e}exe");
  EXPECT_EQ(EscapeForTerminal("\xe2\x81\xa6x"), "\\u{2066}x");
}

TEST(EscapeForTerminal, ReplacesBrokenUtf8) {
  EXPECT_EQ(EscapeForTerminal("a\xff"
                              "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(EscapeForTerminal("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");           // overlong
  EXPECT_EQ(EscapeForTerminal("\xed\xa0\x80").substr(0, 3), "\xef\xbf\xbd");      // a surrogate
  EXPECT_EQ(EscapeForTerminal("\xf4\x90\x80\x80").substr(0, 3), "\xef\xbf\xbd");  // beyond U+10FFFF
  EXPECT_EQ(EscapeForTerminal("\xe4\xba"), "\xef\xbf\xbd\xef\xbf\xbd");           // cut off
}

TEST(EscapeForHtml, EscapesAllThatMarkupNeeds) {
  EXPECT_EQ(EscapeForHtml("<a href='x'>\"&\"</a>\x01"),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;\\x01");
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("人物"), 4U);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1U);  // e with a combining acute
}

TEST(Shorten, KeepsBothEnds) {
  EXPECT_EQ(Shorten("abc", 3), "abc");
  EXPECT_EQ(Shorten("abcdefghij", 7), "abc…hij");
  EXPECT_EQ(Shorten("abcdef", 1), "…");
  EXPECT_EQ(Shorten("abcdef", 0), "");
}

TEST(Shorten, NeverExceedsTheColumnsWithWideCharacters) {
  for (std::size_t columns = 0; columns < 14; ++columns)
    EXPECT_LE(DisplayWidth(Shorten("人物照片文件夹", columns)), columns);
}

TEST(FormatSeconds, GrowsWithTheTime) {
  EXPECT_EQ(FormatSeconds(0), "0.0 s");
  EXPECT_EQ(FormatSeconds(4.49), "4.5 s");
  EXPECT_EQ(FormatSeconds(59.96), "1:00.0");
  EXPECT_EQ(FormatSeconds(62.5), "1:02.5");
  EXPECT_EQ(FormatSeconds(3662.5), "1:01:02.5");
}

TEST(FormatBytes, UsesPowersOfAThousand) {
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.0 kB");
  EXPECT_EQ(FormatBytes(1234567), "1.2 MB");
  EXPECT_EQ(FormatBytes(999'999'999), "1.0 GB");
}

TEST(Base64, MatchesRfc4648) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xff\xef"), "/+8=");
}

TEST(BytesOfHex, ReadsBothCases) { EXPECT_EQ(BytesOfHex("00fFa0"), std::string("\x00\xff\xa0", 3)); }

}  // namespace
}  // namespace unmask
