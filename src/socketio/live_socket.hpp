// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of the Socket.IO server: one client in one namespace.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "socketio/engine_server.hpp"
#include "socketio/packet.hpp"
#include "socketio/serial_queue.hpp"
#include "socketio/server.hpp"

namespace unmask::socketio {

/// What all sockets of a server share.
struct SocketShared {
  Options options;
  http::Server& http;
};

/// Slows a session's client down while more of its messages wait for handlers than is reasonable.
class Flow {
 public:
  Flow(std::weak_ptr<EngineSession> session, std::size_t high) : session_(std::move(session)), high_(high) {}

  void Add(std::size_t bytes);
  void Remove(std::size_t bytes);

 private:
  const std::weak_ptr<EngineSession> session_;
  const std::size_t high_;  ///< bytes from which on nothing is read; half of it lets it go on
  std::mutex mutex_;
  std::size_t bytes_ = 0;
  bool paused_ = false;
};

/// Packets go in and become calls of the application, one after another. Thread-safe.
class LiveSocket : public Socket, public std::enable_shared_from_this<LiveSocket> {
 public:
  /// What the session has to know, each at most once, from a thread of the pool.
  struct Notes {
    std::function<void()> on_connected;
    std::function<void()> on_gone;    ///< left by itself, was refused or sent away
    std::function<void()> on_broken;  ///< sent what breaks the protocol
  };

  LiveSocket(std::shared_ptr<const SocketShared> shared, const std::shared_ptr<EngineSession>& session,
             std::string nsp, std::shared_ptr<Flow> flow, Notes notes);

  const std::string& id() const override { return id_; }
  const std::string& nsp() const override { return nsp_; }
  const http::Request& request() const override { return *request_; }
  std::stop_token gone() const override { return gone_.get_token(); }
  void Emit(std::string_view event, const nlohmann::ordered_json& arguments) override;
  void EmitWithAck(std::string_view event, const nlohmann::ordered_json& arguments, double timeout,
                   AckHandler answered) override;
  void Disconnect(bool end_session) override;

  // What comes from the client; each returns at once.
  void OnConnect(Packet packet, ConnectHandler handler);
  void OnPacket(Packet packet, std::vector<std::string> attachments);
  void OnOversize(const Packet& beginning);
  void OnGone(std::string reason);

 private:
  enum class State { kConnecting, kConnected, kGone };
  struct WaitingAck {
    AckHandler answered;
    std::shared_ptr<void> timer;
  };

  void Connect(const Packet& packet, const ConnectHandler& handler);
  void Handle(const Packet& packet, std::vector<std::string> attachments);
  void Push(std::size_t bytes, std::function<void()> task);
  void SendEvent(std::string_view event, const nlohmann::ordered_json& arguments,
                 std::optional<std::uint64_t> id);
  void SendPacket(const WirePacket& packet);
  void TellSession(std::vector<EnginePacket> messages) const;
  AckHandler TakeAck(std::uint64_t id);
  Ack MakeAck(const std::optional<std::uint64_t>& id);
  State state() const;

  const std::shared_ptr<const SocketShared> shared_;
  const std::weak_ptr<EngineSession> session_;
  const std::string id_;
  const std::string nsp_;
  const http::RequestPtr request_;
  const std::shared_ptr<Flow> flow_;
  const Notes notes_;
  const std::shared_ptr<SerialQueue> queue_;
  std::unique_ptr<SocketEvents> events_;  ///< used by tasks of the queue alone
  std::stop_source gone_;

  mutable std::mutex mutex_;
  State state_ = State::kConnecting;
  std::vector<EnginePacket> early_;  ///< emitted before the CONNECT acknowledgement
  std::map<std::uint64_t, WaitingAck> acks_;
  std::uint64_t next_ack_ = 0;
};

}  // namespace unmask::socketio
