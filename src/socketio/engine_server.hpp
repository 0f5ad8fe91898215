// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/router.hpp"
#include "http/server.hpp"
#include "socketio/engine_machine.hpp"
#include "socketio/options.hpp"

namespace unmask::socketio {

/// One client's session. Thread-safe; no call blocks or calls back before it returns.
class EngineSession {
 public:
  virtual ~EngineSession() = default;

  virtual const std::string& id() const = 0;

  /// The request that opened it.
  virtual http::RequestPtr request() const = 0;

  /// Sends messages, together and in this order. Does nothing once the session has ended.
  virtual void Send(std::vector<EnginePacket> messages) = 0;

  /// Ends it after what was sent.
  virtual void Close() = 0;

  /// Stops and resumes reading from the client.
  virtual void SetPaused(bool paused) = 0;
};

/// What a session brings. Calls come one after another on network threads and must not block.
class EngineEvents {
 public:
  virtual ~EngineEvents() = default;

  virtual void OnMessage(EnginePacket message) = 0;

  /// The client sent a message that is longer than Options::max_payload and was dropped; with its beginning,
  /// or empty when a POST was refused before it was read.
  virtual void OnOversize(EnginePacket beginning) = 0;

  /// The last call.
  virtual void OnEnd(EngineEnd end) = 0;
};

/// Called for each new session, on a network thread.
using EngineHandler = std::function<std::unique_ptr<EngineEvents>(const std::shared_ptr<EngineSession>&)>;

/// An Engine.IO server, protocol 4: long polling, WebSocket, and the upgrade from one to the other.
/// Thread-safe.
class EngineServer {
 public:
  /// `timers` must outlive it.
  static std::unique_ptr<EngineServer> Create(Options options, http::Timers& timers, EngineHandler handler);

  /// Ends all sessions at once.
  virtual ~EngineServer() = default;

  /// Adds the routes of Options::path.
  virtual void Mount(http::Router& router) = 0;

  virtual std::size_t sessions() const = 0;

  /// Opens no more sessions and ends all: waiting polls are answered "6", WebSockets are closed with 1001.
  virtual void Shutdown() = 0;
};

}  // namespace unmask::socketio
