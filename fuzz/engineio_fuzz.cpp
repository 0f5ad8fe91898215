// SPDX-License-Identifier: Apache-2.0
// A payload is refused, or reads back as what it was; and a session that gets it keeps its promises. The
// first byte chooses the transport.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "socketio/engine_machine.hpp"

namespace {

using namespace unmask::socketio;

/// Nothing may happen after the end.
void Check(const EngineActions& actions, bool& ended) {
  for (const auto& action : actions) {
    if (ended && action.kind != EngineAction::Kind::kRefuse) std::abort();
    ended = ended || action.kind == EngineAction::Kind::kEnd;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto packets = DecodePayload(text, 100); packets && EncodePayload(*packets) != text) std::abort();
  if (const auto packet = DecodePacket(text); packet && EncodePacket(*packet) != text) std::abort();

  EngineMachine::Time now{};
  bool ended = false;
  if (data[0] % 2 == 0) {
    EngineMachine machine({}, EngineTransport::kPolling, "{}", now);
    Check(machine.OnPoll(), ended);
    Check(machine.BeginPost(), ended);
    Check(machine.OnPayload(text, now), ended);
    Check(machine.OnPoll(), ended);
  } else {
    EngineMachine machine({}, EngineTransport::kWebSocket, "{}", now);
    Check(machine.OnSocketOpen(), ended);
    Check(machine.OnFrame(text, data[0] % 4 == 1, now), ended);
    Check(machine.OnTime(now + std::chrono::hours(1)), ended);
  }
  return 0;
}
