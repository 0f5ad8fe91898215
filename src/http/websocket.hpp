// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "http/message.hpp"

namespace unmask::http {

/// Close codes of RFC 6455, 7.4.1.
struct WebSocketCode {
  static constexpr std::uint16_t kNormal = 1000, kGoingAway = 1001, kProtocolError = 1002, kAbnormal = 1006,
                                 kPolicy = 1008, kTooBig = 1009, kTryAgainLater = 1013;
};

enum class MessageKind { kText, kBinary };

/// The server's end of one WebSocket (RFC 6455). Thread-safe; no call waits, none calls back before it
/// returns.
class WebSocket {
 public:
  virtual ~WebSocket() = default;

  /// Queues a message. False when the socket is closed or closing, and when more than
  /// WebSocketLimits::backlog bytes would wait: the client reads too slowly and the socket is cut off, which
  /// OnClose tells.
  virtual bool Send(MessageKind kind, std::string payload) = 0;

  /// Sends what is queued, then a close frame, and waits a little for the client's. Further calls do nothing.
  virtual void Close(std::uint16_t code) = 0;

  /// Stops and resumes reading, so that a client that sends faster than its messages are used is slowed down
  /// by TCP. A message that is being read may still come. Control frames wait too.
  virtual void PauseReading(bool paused) = 0;
};

/// What happens on a WebSocket. Calls come one after another on network threads and must not block.
class WebSocketEvents {
 public:
  virtual ~WebSocketEvents() = default;

  /// The handshake is done; always the first call. Without it no other follows.
  virtual void OnOpen(std::shared_ptr<WebSocket> socket) = 0;

  /// A whole message; text is valid UTF-8.
  virtual void OnMessage(MessageKind kind, std::string payload) = 0;

  /// A message is longer than WebSocketLimits::max_message; `begin` holds its first max_message bytes. True
  /// to drop the rest of it and go on, false to close with 1009.
  virtual bool OnOversize(MessageKind kind, std::string begin) = 0;

  /// The socket has ended; the last call. 1006 when there was no close frame.
  virtual void OnClose(std::uint16_t code) = 0;
};

struct WebSocketLimits {
  std::size_t max_message = 1 << 20;  ///< bytes of one message from the client
  std::size_t backlog = 4 << 20;      ///< bytes that may wait for the client
};

/// Looks at the request of an upgrade: gives what takes the events, or the answer that refuses. Called on the
/// network thread: must not block. Should check the Origin header, since browsers let any page open
/// WebSockets.
using WebSocketHandler =
    std::function<tl::expected<std::unique_ptr<WebSocketEvents>, Response>(const RequestPtr&)>;

}  // namespace unmask::http
