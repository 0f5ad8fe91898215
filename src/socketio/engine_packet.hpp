// SPDX-License-Identifier: Apache-2.0
#pragma once

// The wire format of Engine.IO, protocol 4: packets, and payloads of packets for long polling. Pure
// functions.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"

namespace unmask::socketio {

/// In the order of their numbers on the wire.
enum class EnginePacketType : std::uint8_t { kOpen, kClose, kPing, kPong, kMessage, kUpgrade, kNoop };

struct EnginePacket {
  EnginePacketType type = EnginePacketType::kMessage;
  std::string data;
  bool binary = false;  ///< messages only: `data` are bytes, otherwise it is UTF-8

  bool operator==(const EnginePacket&) const = default;
};

/// As a text: one digit and the data; a binary message is "b" and its base64. WebSocket carries binary
/// messages as binary frames without any of this.
std::string EncodePacket(const EnginePacket& packet);

/// What EncodePacket() made. kBadRequest for an unknown type, bad base64, or text that is not UTF-8.
Result<EnginePacket> DecodePacket(std::string_view text);

/// Packets joined by the record separator (0x1e), which no JSON text contains.
std::string EncodePayload(const std::vector<EnginePacket>& packets);

/// At most `max_packets`; more, none, or one that is bad is kBadRequest.
Result<std::vector<EnginePacket>> DecodePayload(std::string_view payload, std::size_t max_packets);

/// True for well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates.
bool IsUtf8(std::string_view text);

}  // namespace unmask::socketio
