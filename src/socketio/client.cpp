// SPDX-License-Identifier: Apache-2.0
#include "socketio/client.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace unmask::socketio {
namespace {

/// Waiting messages of a client, in units of the largest, from which on it is slowed down.
constexpr std::size_t kMessagesAhead = 4;

std::string_view ReasonOf(EngineEnd end) {
  switch (end) {
    case EngineEnd::kPingTimeout:
      return "ping timeout";
    case EngineEnd::kServerClosed:
      return "forced server close";
    case EngineEnd::kShutdown:
      return "server shutting down";
    case EngineEnd::kProtocolError:
      return "parse error";
    case EngineEnd::kBacklogFull:
      return "transport error";
    case EngineEnd::kClientClosed:
    case EngineEnd::kTransportLost:
      break;
  }
  return "transport close";
}

class ClientEvents : public EngineEvents {
 public:
  explicit ClientEvents(std::shared_ptr<Client> client) : client_(std::move(client)) {}
  void OnMessage(EnginePacket message) override { client_->OnMessage(std::move(message)); }
  void OnOversize(EnginePacket beginning) override { client_->OnOversize(std::move(beginning)); }
  void OnEnd(EngineEnd end) override { client_->OnEnd(end); }

 private:
  const std::shared_ptr<Client> client_;
};

}  // namespace

std::unique_ptr<EngineEvents> Client::Make(std::shared_ptr<const SocketShared> shared,
                                           std::shared_ptr<const Namespaces> namespaces,
                                           const std::shared_ptr<EngineSession>& session) {
  auto client = std::make_shared<Client>(std::move(shared), std::move(namespaces), session);
  client->AwaitNamespace();
  return std::make_unique<ClientEvents>(std::move(client));
}

Client::Client(std::shared_ptr<const SocketShared> shared, std::shared_ptr<const Namespaces> namespaces,
               const std::shared_ptr<EngineSession>& session)
    : shared_(std::move(shared)),
      namespaces_(std::move(namespaces)),
      session_(session),
      flow_(std::make_shared<Flow>(session, kMessagesAhead * shared_->options.max_payload)) {}

// ---- from messages to packets ----

void Client::OnMessage(EnginePacket message) {
  if (message.binary) return Attach(std::move(message.data), false);
  auto packet = ParsePacket(message.data);
  if (!packet) return CloseSession();
  Begin(std::move(*packet), false);
}

void Client::OnOversize(EnginePacket beginning) {
  if (beginning.binary) return Attach("", true);
  if (beginning.data.empty()) {  // a POST: nobody knows what was in it
    const std::lock_guard lock(mutex_);
    for (const auto& [nsp, socket] : sockets_) socket->OnOversize({});
    return;
  }
  auto packet = ParsePacket(beginning.data);
  if (!packet) return CloseSession();
  packet->payload.clear();
  Begin(std::move(*packet), true);
}

void Client::Begin(Packet packet, bool spoiled) {
  if (partial_) return CloseSession();
  if (packet.attachments == 0) return Dispatch(std::move(packet), {}, spoiled);
  partial_ = std::move(packet);
  spoiled_ = spoiled;
}

void Client::Attach(std::string bytes, bool spoiled) {
  if (!partial_) return CloseSession();
  attachments_.push_back(std::move(bytes));
  spoiled_ = spoiled_ || spoiled;
  if (attachments_.size() < partial_->attachments) return;
  auto packet = std::move(*partial_);
  partial_.reset();
  Dispatch(std::move(packet), std::exchange(attachments_, {}), spoiled_);
}

// ---- from packets to sockets ----

void Client::Dispatch(Packet packet, std::vector<std::string> attachments, bool spoiled) {
  if (packet.type == PacketType::kConnectError) return CloseSession();
  if (packet.type == PacketType::kConnect) return spoiled ? CloseSession() : Connect(std::move(packet));
  const auto socket = FindSocket(packet.nsp);
  if (!socket) {
    const std::lock_guard lock(mutex_);
    if (!left_.contains(packet.nsp)) CloseSession();
    return;
  }
  if (packet.type == PacketType::kDisconnect) return Leave(packet.nsp);
  if (spoiled) return socket->OnOversize(packet);
  socket->OnPacket(std::move(packet), std::move(attachments));
}

void Client::Connect(Packet packet) {
  const auto session = session_.lock();
  if (!session) return;
  const auto found = namespaces_->find(packet.nsp);
  if (found == namespaces_->end()) {
    nlohmann::ordered_json reason{{"message", "Invalid namespace"}};
    if (shared_->options.dialect == Dialect::kPythonEngineIo) reason = "Unable to connect";
    auto refusal = SerializePacket(PacketType::kConnectError, packet.nsp, std::nullopt, reason);
    std::vector<EnginePacket> messages;
    messages.push_back({EnginePacketType::kMessage, std::move(refusal.text)});
    return session->Send(std::move(messages));
  }
  // The socket may ask for its own end before this call is over.
  const auto self = std::make_shared<std::weak_ptr<LiveSocket>>();
  LiveSocket::Notes notes;
  notes.on_connected = [weak = weak_from_this()] {
    const auto client = weak.lock();
    if (!client) return;
    std::shared_ptr<void> timer;
    const std::lock_guard lock(client->mutex_);
    timer = std::exchange(client->connect_timer_, nullptr);
  };
  notes.on_gone = [weak = weak_from_this(), self] {
    if (const auto client = weak.lock()) client->OnSocketGone(self->lock().get());
  };
  notes.on_broken = [weak = weak_from_this()] {
    if (const auto client = weak.lock()) client->CloseSession();
  };
  const auto socket = std::make_shared<LiveSocket>(shared_, session, packet.nsp, flow_, std::move(notes));
  *self = socket;
  {
    const std::lock_guard lock(mutex_);
    left_.erase(packet.nsp);
    if (!sockets_.emplace(packet.nsp, socket).second) return CloseSession();
  }
  socket->OnConnect(std::move(packet), found->second);
}

void Client::Leave(const std::string& nsp) {
  std::shared_ptr<LiveSocket> socket;
  bool alone = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = sockets_.find(nsp);
    if (found == sockets_.end()) return;
    socket = std::move(found->second);
    sockets_.erase(found);
    alone = sockets_.empty();
  }
  socket->OnGone("client namespace disconnect");
  if (alone) AwaitNamespace();
}

void Client::OnSocketGone(const LiveSocket* socket) {
  bool alone = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = sockets_.find(socket ? socket->nsp() : "");
    if (found == sockets_.end() || found->second.get() != socket) return;
    left_.insert(found->first);
    sockets_.erase(found);
    alone = sockets_.empty();
  }
  if (alone) AwaitNamespace();
}

std::shared_ptr<LiveSocket> Client::FindSocket(const std::string& nsp) const {
  const std::lock_guard lock(mutex_);
  const auto found = sockets_.find(nsp);
  return found == sockets_.end() ? nullptr : found->second;
}

// ---- the session ----

void Client::AwaitNamespace() {
  auto timer = shared_->http.After(shared_->options.connect_timeout, [weak = weak_from_this()] {
    const auto client = weak.lock();
    if (!client) return;
    {
      const std::lock_guard lock(client->mutex_);
      if (!client->connect_timer_) return;
    }
    client->CloseSession();
  });
  const std::lock_guard lock(mutex_);
  if (!ended_) connect_timer_ = std::move(timer);
}

void Client::CloseSession() const {
  if (const auto session = session_.lock()) session->Close();
}

void Client::OnEnd(EngineEnd end) {
  std::map<std::string, std::shared_ptr<LiveSocket>> sockets;
  std::shared_ptr<void> timer;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    sockets = std::exchange(sockets_, {});
    timer = std::exchange(connect_timer_, nullptr);
  }
  for (const auto& [nsp, socket] : sockets) socket->OnGone(std::string(ReasonOf(end)));
}

}  // namespace unmask::socketio
