// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "socketio/engine_packet.hpp"
#include "unmask/error.hpp"

namespace unmask::socketio {

/// Where a Caller's packets go. Errors as Caller's.
class CallerTransport {
 public:
  struct Place {
    std::string host;
    std::string port;
    std::string path;  ///< of Engine.IO, "/socket.io/"
  };

  virtual ~CallerTransport() = default;

  /// Opens a session. The first packets of Receive() are the server's, kOpen among them.
  virtual Result<void> Open() = 0;

  /// The session that the server named; polling needs it in every request.
  virtual void SetSession(const std::string& sid) = 0;

  virtual Result<void> Send(const EnginePacket& packet) = 0;

  /// At least one; blocks until there is one.
  virtual Result<std::vector<EnginePacket>> Receive() = 0;
};

std::unique_ptr<CallerTransport> MakePollingTransport(const CallerTransport::Place& place, double timeout,
                                                      std::stop_token stop);
std::unique_ptr<CallerTransport> MakeWebSocketTransport(const CallerTransport::Place& place, double timeout,
                                                        std::stop_token stop);

}  // namespace unmask::socketio
