// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "http/router.hpp"
#include "http/server.hpp"
#include "socketio/options.hpp"
#include "unmask/error.hpp"

namespace unmask::socketio {

/// The answer to an event that asked for one; now or later, from any thread. Copies share it and the first
/// answer counts. One that is never given costs the client its own time-out.
class Ack {
 public:
  Ack() = default;
  explicit Ack(std::function<void(const nlohmann::ordered_json&)> send);

  /// True when the client asked for an answer.
  bool wanted() const { return send_ != nullptr; }

  /// Answers with an array of values; any other value is the only one. Binary values become attachments.
  /// Without effect when none is wanted, one was given, or the client has gone.
  void Send(const nlohmann::ordered_json& values) const;

 private:
  std::shared_ptr<const std::function<void(const nlohmann::ordered_json&)>> send_;
};

/// What a client sent. The arguments may be moved out of it.
struct Event {
  std::string name;
  nlohmann::json& arguments;  ///< an array without the name; attachments are binary values
  Ack ack;
};

/// The server's end of one client in one namespace. Thread-safe; no call blocks or calls back before it
/// returns. May be kept for longer than the client stays.
class Socket {
 public:
  virtual ~Socket() = default;

  /// Unlike the session's id, this is no secret to other clients.
  virtual const std::string& id() const = 0;
  virtual const std::string& nsp() const = 0;

  /// The request that opened the session: headers, query, address.
  virtual const http::Request& request() const = 0;

  /// Requested when the client goes away or is sent away, for work that nobody awaits any more.
  virtual std::stop_token gone() const = 0;

  /// Sends an event with an array of arguments; any other value is the only one, null is none. Binary values
  /// become attachments. Does nothing once the client has gone.
  virtual void Emit(std::string_view event, const nlohmann::ordered_json& arguments) = 0;

  /// What the client answered, an array; or kCancelled when it left or did not answer in time.
  using AckHandler = std::function<void(const Result<nlohmann::json>&)>;

  /// Likewise, and calls `answered` once, on the handler pool and in order with this socket's events.
  virtual void EmitWithAck(std::string_view event, const nlohmann::ordered_json& arguments, double timeout,
                           AckHandler answered) = 0;

  /// Sends the client out of the namespace, or with `end_session` ends all that it has here.
  virtual void Disconnect(bool end_session = false) = 0;
};

/// The application's side of one socket. Calls come one after another on the handler pool, in the order of
/// the client's packets, and may take their time: heartbeats and other sockets go on meanwhile, and a client
/// that sends faster than its events are handled is slowed down. An exception is logged and ends the call
/// alone. Lives until after OnDisconnect.
class SocketEvents {
 public:
  virtual ~SocketEvents() = default;

  virtual void OnEvent(Event event) = 0;

  /// The client sent a message of more than `limit` bytes (Options::max_payload), which was dropped; its
  /// namespace and, by `wants_ack`, whether it asks for an answer are known from its beginning. False ends
  /// the session.
  virtual bool OnOversize(std::size_t limit, const Ack& ack);

  /// The last call; `reason` in the words of the reference, e.g. "ping timeout".
  virtual void OnDisconnect(std::string_view reason);
};

/// Takes or refuses a client that asks for a namespace; called on the handler pool. `auth` is the object that
/// it sent along, or null. A refusal's message reaches the client as CONNECT_ERROR.
using ConnectHandler = std::function<Result<std::unique_ptr<SocketEvents>>(
    const std::shared_ptr<Socket>& socket, const nlohmann::json& auth)>;

/// A Socket.IO server: protocol 5 over Engine.IO 4. Thread-safe.
class Server {
 public:
  /// `http` must outlive it. Handlers may still run until `http` has gone.
  static std::unique_ptr<Server> Create(Options options, http::Server& http);

  /// Ends all sessions at once.
  virtual ~Server() = default;

  /// Serves a namespace, e.g. "/" or "/custom". Before Mount().
  virtual void Namespace(std::string name, ConnectHandler handler) = 0;

  /// Adds the routes of Options::path.
  virtual void Mount(http::Router& router) = 0;

  virtual std::size_t sessions() const = 0;

  /// Opens no more sessions and ends all, telling the clients. Call it before http::Server::Drain().
  virtual void Shutdown() = 0;
};

}  // namespace unmask::socketio
