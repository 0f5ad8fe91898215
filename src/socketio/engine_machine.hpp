// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "socketio/engine_packet.hpp"

namespace unmask::socketio {

enum class EngineTransport { kPolling, kWebSocket };

/// Why a session ended.
enum class EngineEnd {
  kClientClosed,   ///< the client said so
  kServerClosed,   ///< Close()
  kTransportLost,  ///< the WebSocket broke or was closed, or the client gave up a waiting poll
  kPingTimeout,    ///< no pong in time
  kProtocolError,  ///< a malformed packet, two polls at once, ...
  kBacklogFull,    ///< the client does not fetch what waits for it
  kShutdown,       ///< Abort(): the server goes away
};

/// What the surroundings have to do, in the order given.
struct EngineAction {
  enum class Kind {
    kAnswerPoll,   ///< the waiting GET gets `packets`
    kRefuse,       ///< the request of this very call is a bad request
    kSend,         ///< `packets` go to the WebSocket
    kSendProbe,    ///< `packets` go to the probing WebSocket
    kPromote,      ///< the probing WebSocket becomes the session's
    kCloseProbe,   ///< the probing WebSocket is closed
    kCloseSocket,  ///< the WebSocket is closed
    kDeliver,      ///< `packets`, which are messages, go to the application
    kEnd,          ///< the session is over because of `end`; no further action follows, ever
  };
  Kind kind{};
  std::vector<EnginePacket> packets;
  EngineEnd end{};
};

using EngineActions = std::vector<EngineAction>;

/// One Engine.IO session as a state machine: events and the time go in, actions come out. It knows which
/// transport is in use, what waits for the client, the heartbeat and the upgrade from polling to WebSocket;
/// it does no I/O and has no clock. Not thread-safe. Events after kEnd are refused or ignored.
class EngineMachine {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  struct Options {
    Duration ping_interval = std::chrono::seconds(25);  ///< from a pong to the next ping
    Duration ping_timeout = std::chrono::seconds(20);   ///< for the pong; also for fetching the last packets
    Duration upgrade_timeout = std::chrono::seconds(10);  ///< from the probing request to "5"
    std::size_t max_packets = 10'000;                     ///< in one POST
    std::size_t max_backlog = 4 << 20;                    ///< bytes that may wait for the next GET
  };

  /// `handshake` is the JSON of the open packet; the first poll fetches it, or OnSocketOpen() sends it.
  EngineMachine(const Options& options, EngineTransport transport, std::string handshake, Time now);

  // ---- long polling ----

  /// A GET has come: it is answered at once, waits, or is refused. A second one while the first waits ends
  /// the session.
  EngineActions OnPoll();

  /// The client has given up the waiting GET, which ends the session.
  EngineActions OnPollGone();

  /// A POST begins; a second one at the same time ends the session. Each that is not refused ends by
  /// OnPayload() or OnPostGone().
  EngineActions BeginPost();
  EngineActions OnPayload(std::string_view body, Time now);
  void OnPostGone() { posting_ = false; }

  // ---- WebSocket ----

  EngineActions OnSocketOpen();

  /// One frame; `binary` ones are messages.
  EngineActions OnFrame(std::string data, bool binary, Time now);
  EngineActions OnSocketClosed();

  // ---- upgrade ----

  /// A WebSocket wants to take over. Each that is not refused ends by kPromote, kCloseProbe or
  /// OnProbeClosed().
  EngineActions BeginProbe(Time now);
  EngineActions OnProbeFrame(std::string_view data, bool binary);
  EngineActions OnProbeClosed();

  // ---- the application ----

  /// Sends messages, together and in this order.
  EngineActions Send(std::vector<EnginePacket> messages);

  /// Ends the session after what waits has been fetched or sent.
  EngineActions Close(Time now);

  /// Ends the session at once, and so that clients try to connect again: some take a close packet for good.
  EngineActions Abort();

  /// While the surroundings read nothing from the client, its silence is no sign of death.
  void SetPaused(bool paused, Time now);

  // ---- time ----

  /// When OnTime() should be called next; may have changed after any call.
  Time deadline() const;
  EngineActions OnTime(Time now);

  EngineTransport transport() const { return transport_; }
  bool open() const { return state_ == State::kOpen; }
  std::size_t backlog() const { return backlog_; }

 private:
  enum class State {
    kOpen,
    kLeaving,  ///< closed by the server, and the last packets wait for a GET
    kEnded,
  };
  enum class Probe { kNone, kBegun, kAccepted };

  void Receive(EnginePacket packet, Time now, EngineActions& actions);
  void Queue(std::vector<EnginePacket> packets, EngineActions& actions);
  void AnswerPoll(EngineActions& actions, std::vector<EnginePacket> packets);
  std::vector<EnginePacket> TakeWaiting();
  void End(EngineEnd end, EngineActions& actions);

  const Options options_;
  EngineTransport transport_;
  State state_ = State::kOpen;

  std::vector<EnginePacket> waiting_;  ///< for the next GET
  std::size_t backlog_ = 0;            ///< bytes in waiting_
  bool polling_ = false;               ///< a GET waits; then nothing else does
  bool posting_ = false;
  Probe probe_ = Probe::kNone;

  bool awaiting_pong_ = false;
  bool paused_ = false;
  Time heartbeat_;  ///< the next ping, or with awaiting_pong_ the end of patience; likewise in kLeaving
  Time probe_end_{};
};

}  // namespace unmask::socketio
