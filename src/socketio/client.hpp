// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of the Socket.IO server: one session with all its namespaces.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "socketio/live_socket.hpp"

namespace unmask::socketio {

/// The namespaces of a server.
using Namespaces = std::map<std::string, ConnectHandler>;

/// Joins messages to packets and gives each to the socket of its namespace. The three calls of EngineEvents
/// come one after another; the rest is thread-safe.
class Client : public std::enable_shared_from_this<Client> {
 public:
  /// `session` owns what is made here.
  static std::unique_ptr<EngineEvents> Make(std::shared_ptr<const SocketShared> shared,
                                            std::shared_ptr<const Namespaces> namespaces,
                                            const std::shared_ptr<EngineSession>& session);

  Client(std::shared_ptr<const SocketShared> shared, std::shared_ptr<const Namespaces> namespaces,
         const std::shared_ptr<EngineSession>& session);

  void OnMessage(EnginePacket message);
  void OnOversize(EnginePacket beginning);
  void OnEnd(EngineEnd end);

 private:
  void Begin(Packet packet, bool spoiled);
  void Attach(std::string bytes, bool spoiled);
  void Dispatch(Packet packet, std::vector<std::string> attachments, bool spoiled);
  void Connect(Packet packet);
  void Leave(const std::string& nsp);

  void OnSocketGone(const LiveSocket* socket);
  void AwaitNamespace();
  void CloseSession() const;
  std::shared_ptr<LiveSocket> FindSocket(const std::string& nsp) const;

  const std::shared_ptr<const SocketShared> shared_;
  const std::shared_ptr<const Namespaces> namespaces_;
  const std::weak_ptr<EngineSession> session_;
  const std::shared_ptr<Flow> flow_;

  // A packet whose attachments are still coming.
  std::optional<Packet> partial_;
  std::vector<std::string> attachments_;
  bool spoiled_ = false;  ///< a part of it was too long and is lost

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<LiveSocket>> sockets_;
  std::set<std::string> left_;  ///< namespaces that ended on our side: what is still on its way is ignored
  std::shared_ptr<void> connect_timer_;  ///< runs while there is no namespace
  bool ended_ = false;
};

}  // namespace unmask::socketio
