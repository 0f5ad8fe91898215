// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "http/message.hpp"

namespace unmask::socketio {

/// Whose words a server uses where the protocols leave them open: bodies of errors and of answered POSTs, the
/// order of the handshake's keys, what a request without `transport` asks for, the refusal of unknown
/// namespaces.
enum class Dialect {
  kReference,       ///< socket.io for Node: {"code":1,"message":"Session ID unknown"}
  kPythonEngineIo,  ///< python-socketio: "Invalid session zzz"
};

/// Times are seconds, sizes are bytes.
struct Options {
  std::string path = "/socket.io/";  ///< served with and without the slash at the end

  double ping_interval = 25;    ///< from a pong to the next ping
  double ping_timeout = 20;     ///< for the pong; lower it to notice dead clients sooner
  double upgrade_timeout = 10;  ///< for the change from polling to WebSocket
  double connect_timeout = 45;  ///< a session may be in no namespace for so long

  std::size_t max_payload = 1'000'000;  ///< of a WebSocket message, and of a POST's body
  std::size_t max_packets = 10'000;     ///< in the body of a POST
  std::size_t max_backlog = 4 << 20;    ///< that may wait for a slow client before it is cut off

  std::size_t max_sessions = 4096;              ///< further ones are answered 503
  std::size_t max_sessions_per_address = 1024;  ///< further ones are answered 429

  /// The client's address, when Request::client is that of a proxy.
  std::function<std::string(const http::Request&)> client_address;

  Dialect dialect = Dialect::kReference;

  /// Origins whose pages may connect, e.g. "https://example.org"; empty for every page. A browser names the
  /// page's origin, other clients send none and are accepted.
  std::vector<std::string> allowed_origins;

  /// Adds the CORS headers that let pages of allowed origins use long polling: the origin echoed, credentials
  /// allowed, and an answer to preflight requests.
  bool cors = true;

  /// Events that a connect handler emits go out after the CONNECT acknowledgement. False sends them at once,
  /// as python-socketio does; clients of JavaScript keep them until the acknowledgement comes.
  bool connect_ack_first = true;
};

}  // namespace unmask::socketio
