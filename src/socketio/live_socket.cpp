// SPDX-License-Identifier: Apache-2.0
#include "socketio/live_socket.hpp"

#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "base/id.hpp"

namespace unmask::socketio {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kTaskBytes = 256;  // of a waiting event besides its payload

std::vector<EnginePacket> ToMessages(WirePacket packet) {
  std::vector<EnginePacket> messages;
  messages.push_back({EnginePacketType::kMessage, std::move(packet.text), false});
  for (auto& attachment : packet.attachments)
    messages.push_back({EnginePacketType::kMessage, std::move(attachment), true});
  return messages;
}

OrderedJson ToArray(const OrderedJson& values) {
  if (values.is_array()) return values;
  return values.is_null() ? OrderedJson::array() : OrderedJson::array({values});
}

std::string NameOf(const Json& name) { return name.is_string() ? name.get<std::string>() : name.dump(); }

}  // namespace

// ---- small types of the public header ----

Ack::Ack(std::function<void(const OrderedJson&)> send)
    : send_(std::make_shared<const std::function<void(const OrderedJson&)>>(std::move(send))) {}

void Ack::Send(const OrderedJson& values) const {
  if (send_) (*send_)(values);
}

bool SocketEvents::OnOversize(std::size_t, const Ack&) { return false; }
void SocketEvents::OnDisconnect(std::string_view) {}

void Flow::Add(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
  if (paused_ || bytes_ <= high_) return;
  paused_ = true;
  if (const auto session = session_.lock()) session->SetPaused(true);
}

void Flow::Remove(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  if (!paused_ || bytes_ > high_ / 2) return;
  paused_ = false;
  if (const auto session = session_.lock()) session->SetPaused(false);
}

// ---- from the application ----

LiveSocket::LiveSocket(std::shared_ptr<const SocketShared> shared,
                       const std::shared_ptr<EngineSession>& session, std::string nsp,
                       std::shared_ptr<Flow> flow, Notes notes)
    : shared_(std::move(shared)),
      session_(session),
      id_(NewId()),
      nsp_(std::move(nsp)),
      request_(session->request()),
      flow_(std::move(flow)),
      notes_(std::move(notes)),
      queue_(std::make_shared<SerialQueue>(shared_->http, shared_->http)) {}

void LiveSocket::Emit(std::string_view event, const OrderedJson& arguments) {
  SendEvent(event, arguments, std::nullopt);
}

void LiveSocket::EmitWithAck(std::string_view event, const OrderedJson& arguments, double timeout,
                             AckHandler answered) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kGone) {
      id = next_ack_++;
      auto timer = shared_->http.After(timeout, [weak = weak_from_this(), id] {
        const auto self = weak.lock();
        if (!self) return;
        self->queue_->Push([self, id] {
          if (const auto late = self->TakeAck(id))
            late(Fail(ErrorCode::kCancelled, "the client did not answer in time"));
        });
      });
      acks_.emplace(id, WaitingAck{std::move(answered), std::move(timer)});
      answered = nullptr;
    }
  }
  if (answered) {
    queue_->Push(
        [answered = std::move(answered)] { answered(Fail(ErrorCode::kCancelled, "the client has gone")); });
    return;
  }
  SendEvent(event, arguments, id);
}

void LiveSocket::SendEvent(std::string_view event, const OrderedJson& arguments,
                           std::optional<std::uint64_t> id) {
  OrderedJson payload = OrderedJson::array({event});
  for (auto& argument : ToArray(arguments)) payload.push_back(std::move(argument));
  SendPacket(SerializePacket(PacketType::kEvent, nsp_, id, payload));
}

void LiveSocket::SendPacket(const WirePacket& packet) {
  auto messages = ToMessages(packet);
  // Held while sending, so that nothing overtakes what waited for the acknowledgement.
  const std::lock_guard lock(mutex_);
  if (state_ == State::kGone) return;
  if (state_ == State::kConnecting && shared_->options.connect_ack_first) {
    std::move(messages.begin(), messages.end(), std::back_inserter(early_));
    return;
  }
  TellSession(std::move(messages));
}

void LiveSocket::TellSession(std::vector<EnginePacket> messages) const {
  if (const auto session = session_.lock()) session->Send(std::move(messages));
}

void LiveSocket::Disconnect(bool end_session) {
  bool was_connected = false;
  {
    const std::lock_guard lock(mutex_);
    was_connected = state_ == State::kConnected;
    if (was_connected)
      TellSession(ToMessages(SerializePacket(PacketType::kDisconnect, nsp_, std::nullopt, nullptr)));
  }
  OnGone("server namespace disconnect");
  if (notes_.on_gone) notes_.on_gone();
  if (!end_session) return;
  if (const auto session = session_.lock()) session->Close();
}

// ---- from the client ----

void LiveSocket::OnConnect(Packet packet, ConnectHandler handler) {
  const auto bytes = packet.payload.size();
  Push(bytes, [self = shared_from_this(), packet = std::move(packet), handler = std::move(handler)] {
    self->Connect(packet, handler);
  });
}

void LiveSocket::OnPacket(Packet packet, std::vector<std::string> attachments) {
  std::size_t bytes = packet.payload.size();
  for (const auto& attachment : attachments) bytes += attachment.size();
  Push(bytes,
       [self = shared_from_this(), packet = std::move(packet),
        attachments = std::move(attachments)]() mutable { self->Handle(packet, std::move(attachments)); });
}

void LiveSocket::OnOversize(const Packet& beginning) {
  const bool is_event = beginning.type == PacketType::kEvent || beginning.type == PacketType::kBinaryEvent;
  auto ack = MakeAck(is_event ? beginning.id : std::nullopt);
  Push(0, [self = shared_from_this(), ack = std::move(ack)] {
    if (self->state() != State::kConnected) return;
    if (!self->events_->OnOversize(self->shared_->options.max_payload, ack)) self->notes_.on_broken();
  });
}

void LiveSocket::OnGone(std::string reason) {
  std::map<std::uint64_t, WaitingAck> acks;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(state_, State::kGone) == State::kGone) return;
    acks = std::exchange(acks_, {});
    early_.clear();
  }
  gone_.request_stop();
  queue_->Push([self = shared_from_this(), reason = std::move(reason), acks = std::move(acks)] {
    for (const auto& [id, ack] : acks) ack.answered(Fail(ErrorCode::kCancelled, "the client has gone"));
    if (const auto events = std::move(self->events_)) events->OnDisconnect(reason);
  });
}

void LiveSocket::Push(std::size_t bytes, std::function<void()> task) {
  bytes += kTaskBytes;
  flow_->Add(bytes);
  // Whatever becomes of the task, its bytes are given back.
  std::shared_ptr<void> held(nullptr, [flow = flow_, bytes](void*) { flow->Remove(bytes); });
  queue_->Push([task = std::move(task), held = std::move(held)] { task(); });
}

// ---- on the pool ----

LiveSocket::State LiveSocket::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void LiveSocket::Connect(const Packet& packet, const ConnectHandler& handler) {
  if (state() == State::kGone) return;
  const auto auth = ParsePayload(packet, {});
  if (!auth) return notes_.on_broken();
  Result<std::unique_ptr<SocketEvents>> taken = Fail(ErrorCode::kInternal, "Internal error");
  try {
    taken = handler(shared_from_this(), *auth);
  } catch (const std::exception& e) {
    spdlog::error("Socket.IO connect handler of {}: {}", nsp_, e.what());
  }
  if (!taken) {
    TellSession(ToMessages(SerializePacket(PacketType::kConnectError, nsp_, std::nullopt,
                                           {{"message", taken.error().message}})));
    OnGone("refused");
    return notes_.on_gone();
  }
  events_ = std::move(*taken);
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kGone) return;
    state_ = State::kConnected;
    auto messages = ToMessages(SerializePacket(PacketType::kConnect, nsp_, std::nullopt, {{"sid", id_}}));
    std::move(early_.begin(), early_.end(), std::back_inserter(messages));
    early_ = {};
    TellSession(std::move(messages));
  }
  notes_.on_connected();
}

void LiveSocket::Handle(const Packet& packet, std::vector<std::string> attachments) {
  if (state() != State::kConnected) return;
  auto payload = ParsePayload(packet, std::move(attachments));
  if (!payload) return notes_.on_broken();
  if (packet.type == PacketType::kAck || packet.type == PacketType::kBinaryAck) {
    if (const auto answered = TakeAck(*packet.id)) answered(payload);
    return;
  }
  std::string name = NameOf(payload->front());
  payload->erase(payload->begin());
  events_->OnEvent({std::move(name), *payload, MakeAck(packet.id)});
}

Socket::AckHandler LiveSocket::TakeAck(std::uint64_t id) {
  WaitingAck waiting;  // its timer is destroyed without the lock
  const std::lock_guard lock(mutex_);
  const auto found = acks_.find(id);
  if (found == acks_.end()) return nullptr;
  waiting = std::move(found->second);
  acks_.erase(found);
  return std::move(waiting.answered);
}

Ack LiveSocket::MakeAck(const std::optional<std::uint64_t>& id) {
  if (!id) return {};
  const auto given = std::make_shared<std::atomic<bool>>(false);
  return Ack([weak = weak_from_this(), id, given](const OrderedJson& values) {
    if (given->exchange(true)) return;
    if (const auto self = weak.lock())
      self->SendPacket(SerializePacket(PacketType::kAck, self->nsp_, id, ToArray(values)));
  });
}

}  // namespace unmask::socketio
