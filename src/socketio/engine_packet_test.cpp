// SPDX-License-Identifier: Apache-2.0
#include "socketio/engine_packet.hpp"

#include <rapidcheck.h>

#include <gtest/gtest.h>

namespace unmask::socketio {
namespace {

using Type = EnginePacketType;

TEST(EnginePacket, IsADigitAndItsData) {
  EXPECT_EQ(EncodePacket({Type::kOpen, "{}"}), "0{}");
  EXPECT_EQ(EncodePacket({Type::kMessage, "hello"}), "4hello");
  EXPECT_EQ(EncodePacket({Type::kNoop, ""}), "6");
  EXPECT_EQ(EncodePacket({Type::kMessage, std::string("\1\2\3\4"), true}), "bAQIDBA==");
}

TEST(EnginePacket, IsReadAgain) {
  EXPECT_EQ(DecodePacket("2probe"), (EnginePacket{Type::kPing, "probe"}));
  EXPECT_EQ(DecodePacket("4"), (EnginePacket{Type::kMessage, ""}));
  EXPECT_EQ(DecodePacket("bAQIDBA=="), (EnginePacket{Type::kMessage, "\1\2\3\4", true}));
  EXPECT_EQ(DecodePacket("b"), (EnginePacket{Type::kMessage, "", true}));
}

TEST(EnginePacket, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "7", "x", "abc", "bA", "bA===", "b****", "bAQIDBB==", "4\xff", "4\xc0\xaf"})
    EXPECT_FALSE(DecodePacket(text)) << text;
}

TEST(EnginePayload, JoinsPacketsByTheRecordSeparator) {
  EXPECT_EQ(EncodePayload({}), "");
  EXPECT_EQ(EncodePayload({{Type::kMessage, "a"}, {Type::kMessage, "b"}, {Type::kPong, ""}}),
            "4a\x1e"
            "4b\x1e"
            "3");
}

TEST(EnginePayload, RefusesEmptyRecordsAndTooMany) {
  EXPECT_FALSE(DecodePayload("", 10));
  EXPECT_FALSE(DecodePayload("4a\x1e", 10));
  EXPECT_FALSE(DecodePayload("\x1e", 10));
  EXPECT_TRUE(
      DecodePayload("4\x1e"
                    "4",
                    2));
  EXPECT_FALSE(
      DecodePayload("4\x1e"
                    "4\x1e"
                    "4",
                    2));
}

/// Any packet that may stand in a payload: text without the separator.
rc::Gen<EnginePacket> AnyPacket() {
  return rc::gen::map(rc::gen::tuple(rc::gen::inRange(0, 7),
                                     rc::gen::container<std::string>(rc::gen::inRange('\x20', '\x7f')),
                                     rc::gen::arbitrary<std::string>(), rc::gen::arbitrary<bool>()),
                      [](const auto& parts) {
                        const auto& [type, text, bytes, binary] = parts;
                        if (binary) return EnginePacket{Type::kMessage, bytes, true};
                        return EnginePacket{static_cast<Type>(type), text, false};
                      });
}

TEST(EnginePayload, GivesBackAnyPackets) {
  EXPECT_TRUE(rc::check([] {
    const auto packets = *rc::gen::nonEmpty(rc::gen::container<std::vector<EnginePacket>>(AnyPacket()));
    const auto decoded = DecodePayload(EncodePayload(packets), packets.size());
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == packets);
  }));
}

TEST(EnginePayload, ReadsAnyTextOrRefusesIt) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    if (const auto packets = DecodePayload(text, 100)) RC_ASSERT(EncodePayload(*packets) == text);
  }));
}

TEST(Utf8, IsTakenStrictly) {
  for (const std::string good : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                                 "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "Größe 人 🙂"})
    EXPECT_TRUE(IsUtf8(good)) << good;
  for (const std::string bad :
       {"\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x82z", "\xff"})
    EXPECT_FALSE(IsUtf8(bad)) << bad;
}

}  // namespace
}  // namespace unmask::socketio
