// SPDX-License-Identifier: Apache-2.0
// Parses a packet; what is accepted must read the same again after it was written. The first byte tells how
// many attachments follow the text, each behind a zero byte.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "socketio/packet.hpp"

namespace {

using namespace unmask::socketio;

bool Carries(PacketType type) {
  return type == PacketType::kEvent || type == PacketType::kAck || type == PacketType::kBinaryEvent ||
         type == PacketType::kBinaryAck;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<std::string> attachments;
  for (int i = data[0] % 12; i > 0; --i) {
    const auto at = text.rfind('\0');
    if (at == std::string::npos) break;
    attachments.insert(attachments.begin(), text.substr(at + 1));
    text.resize(at);
  }
  const auto packet = ParsePacket(text);
  if (!packet) return 0;
  const auto payload = ParsePayload(*packet, attachments);
  if (!payload) return 0;
  if (!Carries(packet->type)) return 0;

  const bool is_ack = packet->type == PacketType::kAck || packet->type == PacketType::kBinaryAck;
  const auto wire = SerializePacket(is_ack ? PacketType::kAck : PacketType::kEvent, packet->nsp, packet->id,
                                    nlohmann::ordered_json(*payload));
  const auto again = ParsePacket(wire.text);
  if (!again || again->nsp != packet->nsp || again->id != packet->id) std::abort();
  const auto payload_again = ParsePayload(*again, wire.attachments);
  if (!payload_again || *payload_again != *payload) std::abort();
  return 0;
}
