// SPDX-License-Identifier: Apache-2.0
#include "socketio/engine_session.hpp"

#include <utility>

#include "socketio/engine_words.hpp"

namespace unmask::socketio {

using Kind = EngineAction::Kind;
using Clock = std::chrono::steady_clock;

/// What must be destroyed without the mutex: the end of a stop_callback waits for a call that runs, and that
/// call wants the mutex.
struct LiveSession::Garbage {
  std::vector<WaitingPoll> polls;
  std::vector<std::function<void()>> posts;
};

/// Hands what happens on one WebSocket to its session.
class SocketEventsOfSession : public http::WebSocketEvents {
 public:
  SocketEventsOfSession(std::shared_ptr<LiveSession> session, bool probing)
      : session_(std::move(session)), probing_(probing) {}

  ~SocketEventsOfSession() override {
    if (!opened_) session_->OnSocketClosed(nullptr, probing_);
  }

  void OnOpen(std::shared_ptr<http::WebSocket> socket) override {
    opened_ = true;
    socket_ = socket.get();
    session_->OnSocketOpen(std::move(socket), probing_);
  }
  void OnMessage(http::MessageKind kind, std::string payload) override {
    session_->OnSocketMessage(socket_, kind, std::move(payload));
  }
  bool OnOversize(http::MessageKind kind, std::string beginning) override {
    return session_->OnSocketOversize(socket_, kind, std::move(beginning));
  }
  void OnClose(std::uint16_t) override { session_->OnSocketClosed(socket_, probing_); }

 private:
  const std::shared_ptr<LiveSession> session_;
  const bool probing_;
  bool opened_ = false;
  const http::WebSocket* socket_ = nullptr;
};

LiveSession::LiveSession(std::shared_ptr<const EngineShared> shared, std::string id, http::RequestPtr request,
                         EngineTransport transport, std::function<void(const std::string&)> on_end)
    : shared_(std::move(shared)),
      id_(std::move(id)),
      request_(std::move(request)),
      on_end_(std::move(on_end)),
      machine_(shared_->machine, transport, Handshake(shared_->options, id_, transport), Clock::now()) {}

void LiveSession::Begin(const EngineHandler& handler) {
  events_ = handler(shared_from_this());
  const std::lock_guard lock(mutex_);
  Rearm();
}

// ---- the machine ----

template <typename Event>
bool LiveSession::Step(Event event) {
  Garbage garbage;
  const std::lock_guard lock(mutex_);
  const bool accepted = Apply(event(machine_), garbage);
  Rearm();
  return accepted;
}

bool LiveSession::Apply(EngineActions actions, Garbage& garbage) {
  bool accepted = true;
  for (auto& action : actions) {
    switch (action.kind) {
      case Kind::kRefuse:
        accepted = false;
        break;
      case Kind::kAnswerPoll:
        if (!poll_) break;
        poll_->responder.Send(WithCors(PollResponse(action.packets), *poll_->request));
        garbage.polls.push_back(std::move(*poll_));
        poll_.reset();
        break;
      case Kind::kSend:
        SendTo(socket_.get(), std::move(action.packets));
        break;
      case Kind::kSendProbe:
        SendTo(probe_.get(), std::move(action.packets));
        break;
      case Kind::kPromote:
        socket_ = std::move(probe_);
        probing_ = false;
        if (paused_ && socket_) socket_->PauseReading(true);
        break;
      case Kind::kCloseProbe:
        if (probe_) probe_->Close(close_code_);
        probe_.reset();
        probing_ = false;
        break;
      case Kind::kCloseSocket:
        if (socket_) socket_->Close(close_code_);
        socket_.reset();
        break;
      case Kind::kDeliver:
        for (auto& packet : action.packets) inbox_.emplace_back(std::move(packet));
        break;
      case Kind::kEnd:
        if (held_post_) garbage.posts.push_back(std::exchange(held_post_, {}));
        timer_.reset();
        inbox_.emplace_back(action.end);
        break;
    }
  }
  for (const auto& answer : garbage.posts) answer();
  return accepted;
}

void LiveSession::Rearm() {
  const Time deadline = machine_.deadline();
  if (deadline == Time::max() || (timer_ && armed_ <= deadline)) return;
  armed_ = deadline;
  const double seconds = std::chrono::duration<double>(deadline - Clock::now()).count();
  timer_ = shared_->timers.After(std::max(0.0, seconds), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnTimer();
  });
}

void LiveSession::OnTimer() {
  Step([this](EngineMachine& machine) {
    timer_.reset();
    return machine.OnTime(Clock::now());
  });
  Deliver();
}

// ---- the application ----

void LiveSession::Send(std::vector<EnginePacket> messages) {
  Step([&](EngineMachine& machine) { return machine.Send(std::move(messages)); });
  DeliverLater();
}

void LiveSession::Close() {
  Step([](EngineMachine& machine) { return machine.Close(Clock::now()); });
  DeliverLater();
}

void LiveSession::Abort() {
  Step([this](EngineMachine& machine) {
    close_code_ = http::WebSocketCode::kGoingAway;
    return machine.Abort();
  });
  Deliver();
}

void LiveSession::SetPaused(bool paused) {
  Garbage garbage;
  const std::lock_guard lock(mutex_);
  if (paused_ == paused) return;
  paused_ = paused;
  machine_.SetPaused(paused, Clock::now());
  if (socket_) socket_->PauseReading(paused);
  if (!paused && held_post_) std::exchange(held_post_, {})();
  Rearm();
}

void LiveSession::DeliverLater() {
  const std::lock_guard lock(mutex_);
  if (inbox_.empty() || delivering_ || deliver_timer_) return;
  deliver_timer_ = shared_->timers.After(0, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Deliver();
  });
}

void LiveSession::Deliver() {
  std::unique_lock lock(mutex_);
  if (delivering_) return;
  delivering_ = true;
  deliver_timer_.reset();
  while (!inbox_.empty()) {
    auto next = std::move(inbox_.front());
    inbox_.pop_front();
    lock.unlock();
    if (auto* message = std::get_if<EnginePacket>(&next)) {
      if (events_) events_->OnMessage(std::move(*message));
    } else if (auto* oversize = std::get_if<Oversize>(&next)) {
      if (events_) events_->OnOversize(std::move(oversize->beginning));
    } else {
      on_end_(id_);
      if (const auto events = std::move(events_)) events->OnEnd(std::get<EngineEnd>(next));
    }
    lock.lock();
  }
  delivering_ = false;
}

// ---- long polling ----

http::Response LiveSession::WithCors(http::Response response, const http::Request& request) const {
  AddCors(shared_->options, request, response);
  return response;
}

void LiveSession::Poll(const http::RequestPtr& request, const http::Responder& responder) {
  OnTimer();  // a session whose time is over must not live on because a timer is late
  std::uint64_t number = 0;
  Refusal refusal = Refusal::kUnknownSession;
  const bool accepted = Step([&](EngineMachine& machine) {
    if (machine.transport() == EngineTransport::kWebSocket)
      refusal = Refusal::kWrongTransport;
    else if (machine.open())
      refusal = Refusal::kBadRequest;
    auto actions = machine.OnPoll();
    const bool refused = !actions.empty() && actions.front().kind == Kind::kRefuse;
    if (!refused) {
      number = ++polls_;
      poll_.emplace(WaitingPoll{request, responder, nullptr});
    }
    return actions;
  });
  Deliver();
  if (!accepted)
    return responder.Send(WithCors(RefusalResponse(shared_->options.dialect, refusal, id_), *request));
  auto gone = std::make_unique<WatchGone>(request->gone, [weak = weak_from_this(), number] {
    if (const auto self = weak.lock()) self->OnPollGone(number);
  });
  const std::lock_guard lock(mutex_);
  if (poll_ && polls_ == number) poll_->gone = std::move(gone);
}

void LiveSession::OnPollGone(std::uint64_t number) {
  Garbage garbage;
  {
    const std::lock_guard lock(mutex_);
    if (!poll_ || polls_ != number) return;
    garbage.polls.push_back(std::move(*poll_));
    poll_.reset();
    Apply(machine_.OnPollGone(), garbage);
  }
  Deliver();
}

bool LiveSession::BeginPost() {
  const bool accepted = Step([](EngineMachine& machine) { return machine.BeginPost(); });
  Deliver();
  return accepted;
}

void LiveSession::FinishPost(const http::Request& request, std::string_view body,
                             const http::Responder& responder) {
  const bool accepted = Step([&](EngineMachine& machine) { return machine.OnPayload(body, Clock::now()); });
  Deliver();
  const auto dialect = shared_->options.dialect;
  if (!accepted)
    return responder.Send(WithCors(RefusalResponse(dialect, Refusal::kBadRequest, id_), request));
  auto answer = [responder, response = WithCors(PostResponse(dialect), request)] {
    responder.Send(response);
  };
  {
    const std::lock_guard lock(mutex_);
    if (paused_ && machine_.open()) {
      held_post_ = std::move(answer);
      return;
    }
  }
  answer();
}

void LiveSession::AbandonPost() {
  const std::lock_guard lock(mutex_);
  machine_.OnPostGone();
}

void LiveSession::RefuseOversizedPost() {
  {
    const std::lock_guard lock(mutex_);
    if (machine_.open()) inbox_.emplace_back(Oversize{});
  }
  Deliver();
}

// ---- WebSocket ----

std::unique_ptr<http::WebSocketEvents> LiveSession::MakeSocketEvents(bool probing) {
  return std::make_unique<SocketEventsOfSession>(shared_from_this(), probing);
}

bool LiveSession::BeginProbe() {
  return Step([this](EngineMachine& machine) {
    auto actions = machine.BeginProbe(Clock::now());
    if (actions.empty()) probing_ = true;
    return actions;
  });
}

void LiveSession::OnSocketOpen(std::shared_ptr<http::WebSocket> socket, bool probing) {
  Step([&](EngineMachine& machine) -> EngineActions {
    if (probing && (!probing_ || probe_)) {  // too late
      socket->Close(close_code_);
      return {};
    }
    if (probing) {
      probe_ = std::move(socket);
      return {};
    }
    if (!machine.open()) {
      socket->Close(close_code_);
      return {};
    }
    socket_ = std::move(socket);
    return machine.OnSocketOpen();
  });
  Deliver();
}

void LiveSession::OnSocketMessage(const http::WebSocket* socket, http::MessageKind kind,
                                  std::string payload) {
  const bool binary = kind == http::MessageKind::kBinary;
  Step([&](EngineMachine& machine) -> EngineActions {
    if (socket == socket_.get()) return machine.OnFrame(std::move(payload), binary, Clock::now());
    if (socket == probe_.get()) return machine.OnProbeFrame(payload, binary);
    return {};
  });
  Deliver();
}

bool LiveSession::OnSocketOversize(const http::WebSocket* socket, http::MessageKind kind,
                                   std::string beginning) {
  {
    const std::lock_guard lock(mutex_);
    if (socket != socket_.get() || !machine_.open()) return false;
    const bool binary = kind == http::MessageKind::kBinary;
    if (!binary) {
      if (!beginning.starts_with('4')) return false;
      beginning.erase(0, 1);
    }
    inbox_.emplace_back(Oversize{{EnginePacketType::kMessage, std::move(beginning), binary}});
  }
  Deliver();
  return true;
}

void LiveSession::OnSocketClosed(const http::WebSocket* socket, bool probing) {
  Step([&](EngineMachine& machine) -> EngineActions {
    if (socket && socket == socket_.get()) {
      socket_.reset();
      return machine.OnSocketClosed();
    }
    if (probing && probing_ && socket == probe_.get()) {
      probe_.reset();
      probing_ = false;
      return machine.OnProbeClosed();
    }
    if (!probing && !socket) return machine.OnSocketClosed();  // its handshake failed
    return {};
  });
  Deliver();
}

void LiveSession::SendTo(http::WebSocket* socket, std::vector<EnginePacket> packets) {
  if (!socket) return;
  for (auto& packet : packets) {
    if (packet.binary)
      socket->Send(http::MessageKind::kBinary, std::move(packet.data));
    else
      socket->Send(http::MessageKind::kText, EncodePacket(packet));
  }
}

}  // namespace unmask::socketio
