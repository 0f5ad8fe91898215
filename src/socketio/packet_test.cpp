// SPDX-License-Identifier: Apache-2.0
#include "socketio/packet.hpp"

#include <rapidcheck.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace unmask::socketio {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

const std::string kPlaceholder = R"({"_placeholder":true,"num":0})";

TEST(Packet, IsReadInItsParts) {
  using Type = PacketType;
  EXPECT_EQ(ParsePacket("0"), (Packet{.type = Type::kConnect}));
  EXPECT_EQ(ParsePacket("0/custom"), (Packet{.type = Type::kConnect, .nsp = "/custom"}));
  EXPECT_EQ(ParsePacket("0/custom,{}"), (Packet{.type = Type::kConnect, .nsp = "/custom", .payload = "{}"}));
  EXPECT_EQ(ParsePacket("1/a,"), (Packet{.type = Type::kDisconnect, .nsp = "/a"}));
  EXPECT_EQ(ParsePacket(R"(2["a",1])"), (Packet{.type = Type::kEvent, .payload = R"(["a",1])"}));
  EXPECT_EQ(ParsePacket(R"(2/a,12["a"])"),
            (Packet{.type = Type::kEvent, .nsp = "/a", .id = 12, .payload = R"(["a"])"}));
  EXPECT_EQ(ParsePacket("30[]"), (Packet{.type = Type::kAck, .id = 0, .payload = "[]"}));
  EXPECT_EQ(ParsePacket("52-/a,7[]"),
            (Packet{.type = Type::kBinaryEvent, .attachments = 2, .nsp = "/a", .id = 7, .payload = "[]"}));
  EXPECT_EQ(ParsePacket("218446744073709551615[]")->id, 18446744073709551615u);
}

TEST(Packet, RefusesWhatIsNone) {
  for (const std::string text : {"", "7", "a", "5[]", "5-[]", "5x-[]", "511-[]", "599999999999999999999-[]",
                                 "3[]", "6-1[]", "218446744073709551616[]"})
    EXPECT_FALSE(ParsePacket(text)) << text;
  EXPECT_FALSE(ParsePacket("0/" + std::string(kMaxNamespace, 'n')));
  EXPECT_TRUE(ParsePacket("0/" + std::string(kMaxNamespace - 1, 'n')));
}

Result<Json> Payload(const std::string& text, std::vector<std::string> attachments = {}) {
  const auto packet = ParsePacket(text);
  if (!packet) return tl::unexpected(packet.error());
  return ParsePayload(*packet, std::move(attachments));
}

TEST(Payload, IsWhatItsTypeDemands) {
  for (const std::string text :
       {"0", "0{}", R"(0{"token":1})", "1", R"(2["a"])", "2[1]", R"(2["a",{}])", "31[]", "31[1]"})
    EXPECT_TRUE(Payload(text)) << text;
  for (const std::string text :
       {"0[]", "0\"a\"", "01x", "1{}", "2", "2{}", "2[]", "2[null]", R"(2["connect"])",
        R"(2["disconnecting"])", "2[", "2[\"a\"] ]", "31{}", "31", "2[\"\xff\"]"})
    EXPECT_FALSE(Payload(text)) << text;
}

TEST(Payload, MayNotNestTooDeeply) {
  const auto nested = [](std::size_t depth) {
    return "2[\"a\"," + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "]";
  };
  EXPECT_TRUE(Payload(nested(kMaxNesting)));
  EXPECT_FALSE(Payload(nested(kMaxNesting + 1)));
  EXPECT_FALSE(Payload("2[\"a\"," + std::string(1'000'000, '[')));
}

TEST(NestingDepth, IgnoresBracketsInStrings) {
  EXPECT_EQ(NestingDepth(""), 0u);
  EXPECT_EQ(NestingDepth("[]"), 1u);
  EXPECT_EQ(NestingDepth("[{},{\"a\":[]}]"), 3u);
  EXPECT_EQ(NestingDepth(R"(["[[[\"[[["])"), 1u);
  EXPECT_EQ(NestingDepth("]]]["), 1u);
}

TEST(Payload, GetsItsAttachments) {
  const auto payload =
      Payload(R"(52-["a",{"x":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}])", {"A", "B"});
  ASSERT_TRUE(payload);
  EXPECT_EQ((*payload)[1]["x"], Json::binary({'B'}));
  EXPECT_EQ((*payload)[2], Json::binary({'A'}));
}

TEST(Payload, LeavesObjectsAloneThatOnlyResemblePlaceholders) {
  const auto payload =
      Payload(R"(51-["a",{"_placeholder":false,"num":0},{"num":0},{"_placeholder":1}])", {"A"});
  ASSERT_TRUE(payload);
  EXPECT_EQ((*payload)[1]["num"], 0);
}

TEST(Payload, RefusesPlaceholdersWithoutAttachment) {
  for (const std::string value :
       {R"({"_placeholder":true})", R"({"_placeholder":true,"num":1})", R"({"_placeholder":true,"num":-1})",
        R"({"_placeholder":true,"num":"0"})", R"({"_placeholder":true,"num":0.5})"})
    EXPECT_FALSE(Payload("51-[\"a\"," + value + "]", {"A"})) << value;
}

TEST(Payload, UsesAnAttachmentOnce) {
  EXPECT_FALSE(Payload("51-[\"a\"," + kPlaceholder + "," + kPlaceholder + "]", {"A"}));
}

TEST(SerializePacket, WritesEachPart) {
  using Type = PacketType;
  EXPECT_EQ(SerializePacket(Type::kConnect, "/", std::nullopt, {{"sid", "x"}}).text, R"(0{"sid":"x"})");
  EXPECT_EQ(SerializePacket(Type::kDisconnect, "/a", std::nullopt, nullptr).text, "1/a,");
  EXPECT_EQ(SerializePacket(Type::kEvent, "/a", 3, OrderedJson::array({"e", 1})).text, R"(2/a,3["e",1])");
  EXPECT_EQ(SerializePacket(Type::kAck, "/", 0, OrderedJson::array()).text, "30[]");
}

TEST(SerializePacket, KeepsTheOrderOfKeys) {
  EXPECT_EQ(
      SerializePacket(PacketType::kEvent, "/", {}, OrderedJson::array({"e", {{"b", 1}, {"a", 2}}})).text,
      R"(2["e",{"b":1,"a":2}])");
}

TEST(SerializePacket, SendsBytesAsAttachments) {
  const auto wire =
      SerializePacket(PacketType::kEvent, "/a", 7,
                      OrderedJson::array({"e", OrderedJson::binary({1}), {{"x", OrderedJson::binary({})}}}));
  EXPECT_EQ(wire.text, R"(52-/a,7["e",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":1}}])");
  EXPECT_EQ(wire.attachments, (std::vector<std::string>{"\1", ""}));
}

TEST(SerializePacket, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(SerializePacket(PacketType::kEvent, "/", {}, OrderedJson::array({"e", "\xff"})).text,
            "2[\"e\",\"\xef\xbf\xbd\"]");
}

OrderedJson AnyValue(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return *rc::gen::arbitrary<int>();
    case 2:
      return *rc::gen::arbitrary<bool>();
    case 3:
      return *rc::gen::container<std::string>(rc::gen::inRange('\x20', '\x7f'));
    case 4: {
      const auto bytes = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
      return OrderedJson::binary(bytes);
    }
    case 5: {
      OrderedJson array = OrderedJson::array();
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i) array.push_back(AnyValue(depth - 1));
      return array;
    }
    default: {
      OrderedJson object = OrderedJson::object();
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i) object["k" + std::to_string(i)] = AnyValue(depth - 1);
      return object;
    }
  }
}

TEST(Packet, GivesBackAnyEvent) {
  EXPECT_TRUE(rc::check([] {
    OrderedJson payload = OrderedJson::array({"event"});
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) payload.push_back(AnyValue(2));
    const auto id = *rc::gen::maybe(rc::gen::inRange<std::uint64_t>(0, 1'000'000));
    const std::string nsp = *rc::gen::element<std::string>("/", "/custom", "/a-b");
    const auto wire =
        SerializePacket(PacketType::kEvent, nsp, id ? std::optional(*id) : std::nullopt, payload);
    RC_PRE(wire.attachments.size() <= kMaxAttachments);
    const auto packet = ParsePacket(wire.text);
    RC_ASSERT(packet.has_value());
    RC_ASSERT(packet->nsp == nsp);
    RC_ASSERT(packet->id.has_value() == static_cast<bool>(id));
    RC_ASSERT(packet->attachments == wire.attachments.size());
    const auto parsed = ParsePayload(*packet, wire.attachments);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == Json(payload));
  }));
}

}  // namespace
}  // namespace unmask::socketio
