// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of the Engine.IO server: one session between its transports and the application.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "http/handler.hpp"
#include "http/server.hpp"
#include "http/websocket.hpp"
#include "socketio/engine_server.hpp"

namespace unmask::socketio {

/// What all sessions of a server share.
struct EngineShared {
  Options options;
  EngineMachine::Options machine;
  http::Timers& timers;
};

/// Feeds the machine with what happens on the transports and carries out its actions. Thread-safe.
///
/// The mutex covers the machine and the carrying out, so that packets leave in the machine's order;
/// responders and WebSockets take them without waiting. The application is called without the mutex, from a
/// queue that one thread at a time empties, so it may call back.
class LiveSession : public EngineSession, public std::enable_shared_from_this<LiveSession> {
 public:
  LiveSession(std::shared_ptr<const EngineShared> shared, std::string id, http::RequestPtr request,
              EngineTransport transport, std::function<void(const std::string& id)> on_end);

  /// Once, before anything else: makes the application's side.
  void Begin(const EngineHandler& handler);

  const std::string& id() const override { return id_; }
  http::RequestPtr request() const override { return request_; }
  void Send(std::vector<EnginePacket> messages) override;
  void Close() override;
  void SetPaused(bool paused) override;

  /// Ends it without waiting for the client. Calls the application.
  void Abort();

  /// A GET: answered now or later.
  void Poll(const http::RequestPtr& request, const http::Responder& responder);

  /// A POST; false when it is to be refused. Each true is followed by one of the two.
  bool BeginPost();
  void FinishPost(const http::Request& request, std::string_view body, const http::Responder& responder);
  void AbandonPost();
  void RefuseOversizedPost();

  /// The events of its WebSocket; `probing` of one that wants to take over, of which BeginProbe() was asked.
  std::unique_ptr<http::WebSocketEvents> MakeSocketEvents(bool probing);
  bool BeginProbe();

 private:
  friend class SocketEventsOfSession;
  using Time = EngineMachine::Time;
  using WatchGone = std::stop_callback<std::function<void()>>;

  struct WaitingPoll {
    http::RequestPtr request;
    http::Responder responder;
    std::unique_ptr<WatchGone> gone;
  };
  struct Oversize {
    EnginePacket beginning;
  };
  using Delivery = std::variant<EnginePacket, Oversize, EngineEnd>;
  struct Garbage;

  /// Gives the machine one event and carries out the actions. False when it refuses the request.
  template <typename Event>
  bool Step(Event event);
  bool Apply(EngineActions actions, Garbage& garbage);
  void Rearm();
  void Deliver();
  void DeliverLater();

  void OnPollGone(std::uint64_t number);
  void OnTimer();
  void OnSocketOpen(std::shared_ptr<http::WebSocket> socket, bool probing);
  void OnSocketMessage(const http::WebSocket* socket, http::MessageKind kind, std::string payload);
  bool OnSocketOversize(const http::WebSocket* socket, http::MessageKind kind, std::string beginning);
  void OnSocketClosed(const http::WebSocket* socket, bool probing);
  static void SendTo(http::WebSocket* socket, std::vector<EnginePacket> packets);
  http::Response WithCors(http::Response response, const http::Request& request) const;

  const std::shared_ptr<const EngineShared> shared_;
  const std::string id_;
  const http::RequestPtr request_;
  const std::function<void(const std::string&)> on_end_;
  std::unique_ptr<EngineEvents> events_;  ///< used by whoever delivers

  std::mutex mutex_;
  EngineMachine machine_;
  std::optional<WaitingPoll> poll_;
  std::uint64_t polls_ = 0;
  std::shared_ptr<http::WebSocket> socket_, probe_;
  bool probing_ = false;  ///< a probe may still open
  std::uint16_t close_code_ = http::WebSocketCode::kNormal;
  bool paused_ = false;
  std::function<void()> held_post_;  ///< answers a POST, once reading goes on
  std::shared_ptr<void> timer_;
  Time armed_ = Time::max();
  std::shared_ptr<void> deliver_timer_;
  std::deque<Delivery> inbox_;
  bool delivering_ = false;
};

}  // namespace unmask::socketio
