// SPDX-License-Identifier: Apache-2.0
#pragma once

// The wire format of Socket.IO, protocol 5, inside Engine.IO messages. Pure functions.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "unmask/error.hpp"

namespace unmask::socketio {

/// In the order of their numbers on the wire.
enum class PacketType : std::uint8_t {
  kConnect,
  kDisconnect,
  kEvent,
  kAck,
  kConnectError,
  kBinaryEvent,
  kBinaryAck,
};

/// A packet whose payload has not been looked into.
struct Packet {
  PacketType type = PacketType::kEvent;
  std::size_t attachments = 0;  ///< binary messages that belong to it and follow
  std::string nsp = "/";        ///< namespace
  std::optional<std::uint64_t> id;
  std::string payload;  ///< JSON text, or "" without

  bool operator==(const Packet&) const = default;
};

inline constexpr std::size_t kMaxAttachments = 10;  ///< as socket.io-parser since 4.2.6
inline constexpr std::size_t kMaxNamespace = 256;   ///< bytes of a namespace's name
inline constexpr std::size_t kMaxNesting = 64;      ///< arrays and objects inside one another

/// `<type>[<attachments>-][<namespace>,][<id>][JSON]`. kBadRequest when that is not what came, or more than
/// kMaxAttachments are announced. Does not read the JSON; a beginning of a packet is as good as the whole.
Result<Packet> ParsePacket(std::string_view text);

/// The payload with the attachments in the places that ask for them, as binary values. Checks what each type
/// demands: an event's array begins with a name (a string that is not reserved, or a number), an ack's
/// payload is an array, a CONNECT's an object or nothing (gives null). Fails with kBadRequest also when the
/// JSON nests too deeply, or a placeholder names no attachment or one that is used already.
Result<nlohmann::json> ParsePayload(const Packet& packet, std::vector<std::string> attachments);

/// What is sent: a text and the binary messages after it.
struct WirePacket {
  std::string text;
  std::vector<std::string> attachments;
};

/// Binary values inside `payload` become attachments, and an event or ack that has some a binary one. Without
/// a payload when that is null. Text that is not UTF-8 gets replacement characters.
WirePacket SerializePacket(PacketType type, std::string_view nsp, std::optional<std::uint64_t> id,
                           const nlohmann::ordered_json& payload);

/// How deeply arrays and objects of a JSON text lie inside one another; a guess for what is no JSON.
std::size_t NestingDepth(std::string_view json);

}  // namespace unmask::socketio
