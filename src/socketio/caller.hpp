// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "unmask/error.hpp"

namespace unmask::socketio {

/// What a server sent: an event, or the answer to one of ours.
struct Received {
  std::string event;                 ///< "" for an answer
  std::optional<std::uint64_t> ack;  ///< of an answer: the number that Emit() gave
  std::string arguments;             ///< a JSON array, without the event's name
};

/// A Socket.IO client in the main namespace, for tools that ask a service: protocol 5 over Engine.IO 4, by
/// http:// alone, without attachments. Calls block, and answer heartbeats while they wait. Not thread-safe.
///
/// All fail with kUnreadable when the service cannot be reached, says something else than the protocols
/// allow, closes the session or is silent for `timeout`; with kCancelled when `stop` was requested. Nothing
/// more can be done with it then.
class Caller {
 public:
  enum class Transport { kPolling, kWebSocket };
  struct Options {
    Transport transport = Transport::kWebSocket;
    double timeout = 300;  ///< seconds of silence; a server sends a heartbeat every 25 by default
    std::stop_token stop;
  };

  /// Joins the server whose path is /socket.io/ below `url`, "http://host:8000" or "http://host/prefix".
  static Result<std::unique_ptr<Caller>> Connect(const std::string& url, Options options);

  virtual ~Caller() = default;

  /// Sends an event with one argument, asks for an answer and gives its number.
  virtual Result<std::uint64_t> Emit(std::string_view event, const nlohmann::ordered_json& argument) = 0;

  /// The next that came, in the server's order; also what came before the server's word of welcome.
  virtual Result<Received> Next() = 0;

  /// Says goodbye, if the connection still stands.
  virtual void Close() = 0;
};

}  // namespace unmask::socketio
