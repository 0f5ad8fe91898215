// SPDX-License-Identifier: Apache-2.0
#include "socketio/engine_packet.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.hpp"

namespace unmask::socketio {
namespace {

constexpr char kSeparator = '\x1e';

/// Bytes that follow a lead byte, and the range of the first of them; 0 for a byte that cannot lead.
struct Lead {
  int following = 0;
  unsigned char least = 0x80, most = 0xbf;
};

Lead LeadOf(unsigned char byte) {
  if (byte >= 0xc2 && byte <= 0xdf) return {1};
  if (byte == 0xe0) return {2, 0xa0, 0xbf};
  if (byte == 0xed) return {2, 0x80, 0x9f};
  if (byte >= 0xe1 && byte <= 0xef) return {2};
  if (byte == 0xf0) return {3, 0x90, 0xbf};
  if (byte >= 0xf1 && byte <= 0xf3) return {3};
  if (byte == 0xf4) return {3, 0x80, 0x8f};
  return {};
}

}  // namespace

bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) continue;
    auto [following, least, most] = LeadOf(byte);
    if (following == 0) return false;
    for (; following > 0; --following) {
      if (++i == text.size()) return false;
      const auto next = static_cast<unsigned char>(text[i]);
      if (next < least || next > most) return false;
      least = 0x80;
      most = 0xbf;
    }
  }
  return true;
}

std::string EncodePacket(const EnginePacket& packet) {
  if (packet.binary) return "b" + Base64(packet.data);
  std::string text;
  text.reserve(packet.data.size() + 1);
  text += static_cast<char>('0' + static_cast<int>(packet.type));
  return text += packet.data;
}

Result<EnginePacket> DecodePacket(std::string_view text) {
  if (text.empty()) return Fail(ErrorCode::kBadRequest, "expected a packet, found nothing");
  const char type = text.front();
  text.remove_prefix(1);
  if (type == 'b') {
    auto bytes = BytesOfBase64(text);
    if (!bytes) return Fail(ErrorCode::kBadRequest, "expected base64 after 'b'");
    return EnginePacket{EnginePacketType::kMessage, std::move(*bytes), true};
  }
  if (type < '0' || type > '6')
    return Fail(ErrorCode::kBadRequest, fmt::format("expected a packet type 0 to 6 or b, found byte {:#04x}",
                                                    static_cast<unsigned char>(type)));
  if (!IsUtf8(text)) return Fail(ErrorCode::kBadRequest, "expected UTF-8");
  return EnginePacket{static_cast<EnginePacketType>(type - '0'), std::string(text), false};
}

std::string EncodePayload(const std::vector<EnginePacket>& packets) {
  std::string payload;
  for (const auto& packet : packets) {
    if (&packet != &packets.front()) payload += kSeparator;
    payload += EncodePacket(packet);
  }
  return payload;
}

Result<std::vector<EnginePacket>> DecodePayload(std::string_view payload, std::size_t max_packets) {
  const auto count = static_cast<std::size_t>(std::count(payload.begin(), payload.end(), kSeparator)) + 1;
  if (count > max_packets)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected at most {} packets in a payload, found {}", max_packets, count));
  std::vector<EnginePacket> packets;
  packets.reserve(count);
  for (;;) {
    const auto end = payload.find(kSeparator);
    auto packet = DecodePacket(payload.substr(0, end));
    if (!packet) return tl::unexpected(packet.error());
    packets.push_back(std::move(*packet));
    if (end == std::string_view::npos) return packets;
    payload.remove_prefix(end + 1);
  }
}

}  // namespace unmask::socketio
