// SPDX-License-Identifier: Apache-2.0
#include "socketio/packet.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace unmask::socketio {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

/// Names that clients and servers of the reference emit to themselves.
constexpr std::array<std::string_view, 6> kReserved{"connect",       "connect_error", "disconnect",
                                                    "disconnecting", "newListener",   "removeListener"};

tl::unexpected<Error> Bad(std::string message) { return Fail(ErrorCode::kBadRequest, std::move(message)); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsBinary(PacketType type) { return type == PacketType::kBinaryEvent || type == PacketType::kBinaryAck; }

/// Takes a number off the front; nothing when there is none or it is too large.
template <typename Number>
std::optional<Number> TakeNumber(std::string_view& text) {
  Number number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// Puts attachments into the places that ask for them.
class Reconstruction {
 public:
  explicit Reconstruction(std::vector<std::string> attachments)
      : attachments_(std::move(attachments)), used_(attachments_.size()) {}

  /// False for a placeholder that names nothing, or what is used already: sharing would let a small text
  /// stand for any amount of memory.
  bool Fill(Json& value) {
    if (value.is_object()) {
      const auto mark = value.find("_placeholder");
      if (mark != value.end() && mark->is_boolean() && mark->get<bool>()) return Replace(value);
    }
    if (!value.is_structured()) return true;
    return std::all_of(value.begin(), value.end(), [this](Json& inner) { return Fill(inner); });
  }

 private:
  bool Replace(Json& value) {
    const auto num = value.find("num");
    if (num == value.end() || !num->is_number_unsigned()) return false;
    const auto index = num->get<std::uint64_t>();
    if (index >= attachments_.size() || used_[index]) return false;
    used_[index] = true;
    const auto& bytes = attachments_[index];
    value = Json::binary({bytes.begin(), bytes.end()});
    return true;
  }

  std::vector<std::string> attachments_;
  std::vector<bool> used_;
};

bool IsEvent(const Json& payload) {
  if (!payload.is_array() || payload.empty()) return false;
  const auto& name = payload.front();
  if (name.is_number()) return true;
  return name.is_string() &&
         std::find(kReserved.begin(), kReserved.end(), name.get_ref<const std::string&>()) == kReserved.end();
}

bool HasBinary(const OrderedJson& value) {
  if (value.is_binary()) return true;
  return value.is_structured() && std::any_of(value.begin(), value.end(), HasBinary);
}

OrderedJson Deconstruct(const OrderedJson& value, std::vector<std::string>& attachments) {
  if (value.is_binary()) {
    const auto& bytes = value.get_binary();
    attachments.emplace_back(bytes.begin(), bytes.end());
    return {{"_placeholder", true}, {"num", attachments.size() - 1}};
  }
  if (!value.is_structured()) return value;
  OrderedJson copy = value.is_array() ? OrderedJson::array() : OrderedJson::object();
  for (const auto& item : value.items()) {
    auto inner = Deconstruct(item.value(), attachments);
    if (value.is_array())
      copy.push_back(std::move(inner));
    else
      copy[item.key()] = std::move(inner);
  }
  return copy;
}

}  // namespace

Result<Packet> ParsePacket(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '6')
    return Bad("expected a packet type 0 to 6 at the beginning");
  Packet packet;
  packet.type = static_cast<PacketType>(text.front() - '0');
  text.remove_prefix(1);
  if (IsBinary(packet.type)) {
    const auto count = TakeNumber<std::size_t>(text);
    if (!count || !text.starts_with('-')) return Bad("expected the number of attachments and '-'");
    if (*count > kMaxAttachments)
      return Bad(fmt::format("expected at most {} attachments, found {}", kMaxAttachments, *count));
    packet.attachments = *count;
    text.remove_prefix(1);
  }
  if (text.starts_with('/')) {
    const auto end = std::min(text.find(','), text.size());
    if (end > kMaxNamespace)
      return Bad(fmt::format("expected a namespace of at most {} bytes, found {}", kMaxNamespace, end));
    packet.nsp = std::string(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!text.empty() && IsDigit(text.front())) {
    packet.id = TakeNumber<std::uint64_t>(text);
    if (!packet.id) return Bad("expected an ack id that fits into 64 bits");
  }
  packet.payload = std::string(text);
  const bool is_ack = packet.type == PacketType::kAck || packet.type == PacketType::kBinaryAck;
  if (is_ack && !packet.id) return Bad("expected an id in an ack");
  return packet;
}

std::size_t NestingDepth(std::string_view json) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

Result<Json> ParsePayload(const Packet& packet, std::vector<std::string> attachments) {
  Json payload;
  if (!packet.payload.empty()) {
    if (NestingDepth(packet.payload) > kMaxNesting)
      return Bad(fmt::format("expected at most {} levels of arrays and objects", kMaxNesting));
    payload = Json::parse(packet.payload, nullptr, false);
    if (payload.is_discarded()) return Bad("the payload is not JSON");
    if (IsBinary(packet.type) && !Reconstruction(std::move(attachments)).Fill(payload))
      return Bad("a placeholder names no attachment, or one that is used already");
  }
  switch (packet.type) {
    case PacketType::kConnect:
      if (!payload.is_null() && !payload.is_object()) return Bad("expected an object in CONNECT");
      break;
    case PacketType::kDisconnect:
      if (!packet.payload.empty()) return Bad("expected no payload in DISCONNECT");
      break;
    case PacketType::kEvent:
    case PacketType::kBinaryEvent:
      if (!IsEvent(payload)) return Bad("expected an array that begins with the event's name");
      break;
    case PacketType::kAck:
    case PacketType::kBinaryAck:
      if (!payload.is_array()) return Bad("expected an array in an ack");
      break;
    case PacketType::kConnectError:
      break;
  }
  return payload;
}

WirePacket SerializePacket(PacketType type, std::string_view nsp, std::optional<std::uint64_t> id,
                           const OrderedJson& payload) {
  WirePacket wire;
  const auto dump = [](const OrderedJson& json) {
    return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  };
  std::string json;
  if (HasBinary(payload)) {
    json = dump(Deconstruct(payload, wire.attachments));
    if (type == PacketType::kEvent) type = PacketType::kBinaryEvent;
    if (type == PacketType::kAck) type = PacketType::kBinaryAck;
  } else if (!payload.is_null()) {
    json = dump(payload);
  }
  wire.text = std::to_string(static_cast<int>(type));
  if (IsBinary(type)) wire.text += fmt::format("{}-", wire.attachments.size());
  if (nsp != "/") wire.text.append(nsp).append(",");
  if (id) wire.text += std::to_string(*id);
  wire.text += json;
  return wire;
}

}  // namespace unmask::socketio
