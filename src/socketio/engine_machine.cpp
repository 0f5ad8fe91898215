// SPDX-License-Identifier: Apache-2.0
#include "socketio/engine_machine.hpp"

#include <algorithm>
#include <utility>

namespace unmask::socketio {
namespace {

using Kind = EngineAction::Kind;
using Type = EnginePacketType;

void Add(EngineActions& actions, Kind kind, std::vector<EnginePacket> packets = {}) {
  actions.push_back({kind, std::move(packets), {}});
}

std::size_t SizeOf(const std::vector<EnginePacket>& packets) {
  std::size_t size = 0;
  for (const auto& packet : packets) size += packet.data.size() + sizeof packet;
  return size;
}

}  // namespace

EngineMachine::EngineMachine(const Options& options, EngineTransport transport, std::string handshake,
                             Time now)
    : options_(options), transport_(transport), heartbeat_(now + options.ping_interval) {
  waiting_.push_back({Type::kOpen, std::move(handshake)});
  backlog_ = SizeOf(waiting_);
}

// ---- long polling ----

EngineActions EngineMachine::OnPoll() {
  EngineActions actions;
  if (state_ == State::kEnded || transport_ == EngineTransport::kWebSocket) {
    Add(actions, Kind::kRefuse);
  } else if (polling_) {
    Add(actions, Kind::kRefuse);
    End(EngineEnd::kProtocolError, actions);
  } else if (state_ == State::kLeaving) {
    waiting_.push_back({Type::kClose, ""});
    AnswerPoll(actions, TakeWaiting());
    End(EngineEnd::kServerClosed, actions);
  } else if (!waiting_.empty()) {
    AnswerPoll(actions, TakeWaiting());
  } else if (probe_ == Probe::kAccepted) {
    AnswerPoll(actions, {{Type::kNoop, ""}});  // the client must not be kept waiting here
  } else {
    polling_ = true;
  }
  return actions;
}

EngineActions EngineMachine::OnPollGone() {
  EngineActions actions;
  if (!polling_) return actions;
  polling_ = false;
  End(EngineEnd::kTransportLost, actions);
  return actions;
}

EngineActions EngineMachine::BeginPost() {
  EngineActions actions;
  if (state_ != State::kOpen || transport_ == EngineTransport::kWebSocket) {
    Add(actions, Kind::kRefuse);
  } else if (posting_) {
    Add(actions, Kind::kRefuse);
    End(EngineEnd::kProtocolError, actions);
  } else {
    posting_ = true;
  }
  return actions;
}

EngineActions EngineMachine::OnPayload(std::string_view body, Time now) {
  EngineActions actions;
  posting_ = false;
  if (state_ != State::kOpen) {
    Add(actions, Kind::kRefuse);
    return actions;
  }
  auto packets = DecodePayload(body, options_.max_packets);
  if (!packets) {
    Add(actions, Kind::kRefuse);
    End(EngineEnd::kProtocolError, actions);
    return actions;
  }
  for (auto& packet : *packets) Receive(std::move(packet), now, actions);
  const bool broken = std::any_of(actions.begin(), actions.end(), [](const EngineAction& action) {
    return action.kind == Kind::kEnd && action.end == EngineEnd::kProtocolError;
  });
  if (broken) actions.insert(actions.begin(), EngineAction{Kind::kRefuse, {}, {}});
  return actions;
}

// ---- WebSocket ----

EngineActions EngineMachine::OnSocketOpen() {
  EngineActions actions;
  if (state_ == State::kOpen) Add(actions, Kind::kSend, TakeWaiting());
  return actions;
}

EngineActions EngineMachine::OnFrame(std::string data, bool binary, Time now) {
  EngineActions actions;
  if (state_ != State::kOpen) return actions;
  if (binary) {
    Receive({Type::kMessage, std::move(data), true}, now, actions);
    return actions;
  }
  // The letter b announces base64 in payloads only.
  auto packet =
      data.starts_with('b') ? Fail(ErrorCode::kBadRequest, "base64 in a frame") : DecodePacket(data);
  if (packet)
    Receive(std::move(*packet), now, actions);
  else
    End(EngineEnd::kProtocolError, actions);
  return actions;
}

EngineActions EngineMachine::OnSocketClosed() {
  EngineActions actions;
  End(EngineEnd::kTransportLost, actions);
  return actions;
}

// ---- upgrade ----

EngineActions EngineMachine::BeginProbe(Time now) {
  EngineActions actions;
  if (state_ != State::kOpen || transport_ == EngineTransport::kWebSocket || probe_ != Probe::kNone) {
    Add(actions, Kind::kRefuse);
    return actions;
  }
  probe_ = Probe::kBegun;
  probe_end_ = now + options_.upgrade_timeout;
  return actions;
}

EngineActions EngineMachine::OnProbeFrame(std::string_view data, bool binary) {
  EngineActions actions;
  if (state_ != State::kOpen) return actions;
  if (!binary && probe_ == Probe::kBegun && data == "2probe") {
    probe_ = Probe::kAccepted;
    Add(actions, Kind::kSendProbe, {{Type::kPong, "probe"}});
    if (polling_) AnswerPoll(actions, {{Type::kNoop, ""}});
  } else if (!binary && probe_ == Probe::kAccepted && data == "5") {
    probe_ = Probe::kNone;
    transport_ = EngineTransport::kWebSocket;
    if (polling_) AnswerPoll(actions, {{Type::kNoop, ""}});
    Add(actions, Kind::kPromote);
    if (!waiting_.empty()) Add(actions, Kind::kSend, TakeWaiting());
  } else if (probe_ != Probe::kNone) {
    probe_ = Probe::kNone;
    Add(actions, Kind::kCloseProbe);
  }
  return actions;
}

EngineActions EngineMachine::OnProbeClosed() {
  probe_ = Probe::kNone;
  return {};
}

// ---- the application ----

EngineActions EngineMachine::Send(std::vector<EnginePacket> messages) {
  EngineActions actions;
  if (state_ == State::kOpen && !messages.empty()) Queue(std::move(messages), actions);
  return actions;
}

EngineActions EngineMachine::Close(Time now) {
  EngineActions actions;
  if (state_ != State::kOpen) return actions;
  if (transport_ == EngineTransport::kWebSocket || polling_) {
    End(EngineEnd::kServerClosed, actions);
  } else {
    state_ = State::kLeaving;
    heartbeat_ = now + options_.ping_timeout;
    if (probe_ != Probe::kNone) Add(actions, Kind::kCloseProbe);
    probe_ = Probe::kNone;
  }
  return actions;
}

EngineActions EngineMachine::Abort() {
  EngineActions actions;
  End(EngineEnd::kShutdown, actions);
  return actions;
}

void EngineMachine::SetPaused(bool paused, Time now) {
  if (paused_ && !paused && awaiting_pong_) heartbeat_ = now + options_.ping_timeout;
  paused_ = paused;
}

// ---- time ----

EngineMachine::Time EngineMachine::deadline() const {
  if (state_ == State::kEnded) return Time::max();
  Time next = awaiting_pong_ && paused_ && state_ == State::kOpen ? Time::max() : heartbeat_;
  if (probe_ != Probe::kNone) next = std::min(next, probe_end_);
  return next;
}

EngineActions EngineMachine::OnTime(Time now) {
  EngineActions actions;
  if (state_ == State::kEnded) return actions;
  if (state_ == State::kLeaving) {
    if (now >= heartbeat_) End(EngineEnd::kServerClosed, actions);
    return actions;
  }
  if (probe_ != Probe::kNone && now >= probe_end_) {
    probe_ = Probe::kNone;
    Add(actions, Kind::kCloseProbe);
  }
  if (now < heartbeat_) return actions;
  if (!awaiting_pong_) {
    awaiting_pong_ = true;
    // From when the ping was due, but a call that came very late must not cost the client its time.
    heartbeat_ = std::max(heartbeat_, now - options_.ping_timeout / 2) + options_.ping_timeout;
    Queue({{Type::kPing, ""}}, actions);
  } else if (!paused_) {
    End(EngineEnd::kPingTimeout, actions);
  }
  return actions;
}

// ---- inside ----

void EngineMachine::Receive(EnginePacket packet, Time now, EngineActions& actions) {
  if (state_ != State::kOpen) return;
  switch (packet.type) {
    case Type::kMessage:
      return Add(actions, Kind::kDeliver, {std::move(packet)});
    case Type::kPong:
      if (!std::exchange(awaiting_pong_, false)) return;
      heartbeat_ = now + options_.ping_interval;
      return;
    case Type::kClose:
      return End(EngineEnd::kClientClosed, actions);
    case Type::kOpen:
    case Type::kPing:  // since protocol 4 the server pings
      return End(EngineEnd::kProtocolError, actions);
    case Type::kUpgrade:
    case Type::kNoop:
      return;
  }
}

void EngineMachine::Queue(std::vector<EnginePacket> packets, EngineActions& actions) {
  if (transport_ == EngineTransport::kWebSocket && waiting_.empty())
    return Add(actions, Kind::kSend, std::move(packets));
  if (polling_) return AnswerPoll(actions, std::move(packets));
  backlog_ += SizeOf(packets);
  if (backlog_ > options_.max_backlog) return End(EngineEnd::kBacklogFull, actions);
  std::move(packets.begin(), packets.end(), std::back_inserter(waiting_));
}

void EngineMachine::AnswerPoll(EngineActions& actions, std::vector<EnginePacket> packets) {
  polling_ = false;
  Add(actions, Kind::kAnswerPoll, std::move(packets));
}

std::vector<EnginePacket> EngineMachine::TakeWaiting() {
  backlog_ = 0;
  return std::exchange(waiting_, {});
}

void EngineMachine::End(EngineEnd end, EngineActions& actions) {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  TakeWaiting();
  const bool quiet = end == EngineEnd::kClientClosed || end == EngineEnd::kShutdown;
  if (polling_) AnswerPoll(actions, {{quiet ? Type::kNoop : Type::kClose, ""}});
  if (transport_ == EngineTransport::kWebSocket) Add(actions, Kind::kCloseSocket);
  if (std::exchange(probe_, Probe::kNone) != Probe::kNone) Add(actions, Kind::kCloseProbe);
  actions.push_back({Kind::kEnd, {}, end});
}

}  // namespace unmask::socketio
