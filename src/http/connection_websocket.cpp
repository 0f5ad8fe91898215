// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffered_read_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <spdlog/spdlog.h>

#include "http/connection.hpp"

namespace unmask::http {
namespace {

namespace ws = beast::websocket;
using Error_code = beast::error_code;

constexpr std::size_t kIdleBytes = 4096;  // that a waiting socket holds ready to read into
constexpr double kGoodbyeSeconds = 1;     // for the client to close its side when both have said so

/// First gives what was read behind the request's header. (Beast defines no teardown for its own class.)
class UpgradedStream : public beast::buffered_read_stream<Connection::Stream, beast::flat_buffer> {
 public:
  using buffered_read_stream::buffered_read_stream;
  std::function<void()> on_teardown;  ///< the closing handshake is over, or there will be none
};

void teardown(beast::role_type role, UpgradedStream& stream, Error_code& ec) {
  beast::teardown(role, stream.next_layer(), ec);
}

template <typename Handler>
void async_teardown(beast::role_type role, UpgradedStream& stream, Handler&& handler) {
  if (stream.on_teardown) stream.on_teardown();
  beast::async_teardown(role, stream.next_layer(), std::forward<Handler>(handler));
}

/// One open WebSocket, behind the handle that the application has. Members are touched on the strand only,
/// but for the atomics; the core keeps it alive until Finish().
///
/// ReadNext reads pieces of a message until it is whole; WriteNext writes queued messages, then the close
/// frame.
class WebSocketConnection : public Peer, public std::enable_shared_from_this<WebSocketConnection> {
 public:
  WebSocketConnection(ServerCore& core, Connection::Stream stream, const beast::flat_buffer& surplus,
                      RequestPtr request, const WebSocketLimits& limits,
                      std::unique_ptr<WebSocketEvents> events)
      : core_(core),
        stream_(std::move(stream)),
        timer_(stream_.get_executor()),
        request_(std::move(request)),
        limits_(limits),
        events_(std::move(events)) {
    auto& early = stream_.next_layer().buffer();
    early.commit(asio::buffer_copy(early.prepare(surplus.size()), surplus.data()));
    // The handler of the route knows best when silence means death; here only handshakes have a time.
    stream_.set_option(ws::stream_base::timeout{
        std::chrono::duration_cast<ws::stream_base::duration>(Seconds(core_.options.drain_timeout)),
        ws::stream_base::none(), false});
    stream_.read_message_max(0);  // counted here, so that what is too long can be told
    stream_.auto_fragment(false);
    // Beast would wait for ever.
    stream_.next_layer().on_teardown = [this] {
      ending_ = true;
      CutAfter(std::min(kGoodbyeSeconds, core_.options.drain_timeout));
    };
  }

  template <typename Header>
  void Accept(const Header& header) {
    stream_.async_accept(header, [self = shared_from_this()](Error_code ec) { self->OnAccept(ec); });
  }

  bool Send(MessageKind kind, std::string payload) {
    if (closing_) return false;
    const std::size_t size = payload.size();
    if (backlog_.fetch_add(size) + size > limits_.backlog) {
      closing_ = true;
      CloseNow();
      return false;
    }
    asio::post(stream_.get_executor(),
               [self = shared_from_this(), kind, payload = std::move(payload)]() mutable {
                 if (self->finished_ || self->close_code_) return;
                 self->queue_.push_back({kind, std::move(payload)});
                 self->WriteNext();
               });
    return true;
  }

  void Close(std::uint16_t code) {
    if (closing_.exchange(true)) return;
    asio::post(stream_.get_executor(), [self = shared_from_this(), code] { self->BeginClose(code); });
  }

  void PauseReading(bool paused) {
    asio::post(stream_.get_executor(), [self = shared_from_this(), paused] {
      self->paused_ = paused;
      self->ReadNext();
    });
  }

  void CloseWhenIdle() override { Close(WebSocketCode::kGoingAway); }

  void CloseNow() override {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->Cut(); });
  }

 private:
  struct Message {
    MessageKind kind;
    std::string payload;
  };

  void OnAccept(Error_code ec);

  // ---- reading ----

  void ReadNext() {
    if (!opened_ || reading_ || paused_ || finished_) return;
    reading_ = true;
    const std::size_t room = std::clamp(message_.size(), kIdleBytes, kPieceBytes);
    // One byte beyond the limit tells that a message is too long.
    const std::size_t wanted =
        std::min(room, limits_.max_message + 1 - std::min(message_.size(), limits_.max_message));
    message_.resize(message_.size() + wanted);
    stream_.async_read_some(asio::buffer(message_.data() + message_.size() - wanted, wanted),
                            [self = shared_from_this(), wanted](Error_code ec, std::size_t got) {
                              self->OnRead(ec, wanted, got);
                            });
  }

  void OnRead(Error_code ec, std::size_t wanted, std::size_t got) {
    reading_ = false;
    if (finished_) return;
    message_.resize(message_.size() - wanted + got);
    if (ec) {
      if (ec != ws::error::closed)
        spdlog::debug("WebSocket of {}: {} [{}]", request_->client, ec.message(), request_->trace_id);
      return Finish(ec == ws::error::closed ? stream_.reason().code
                                            : close_code_.value_or(WebSocketCode::kAbnormal));
    }
    const auto kind = stream_.got_text() ? MessageKind::kText : MessageKind::kBinary;
    if (dropping_) {
      dropped_ += message_.size();
      message_.clear();
      if (dropped_ > core_.options.drain_bytes) return CloseFor(WebSocketCode::kTooBig);
    } else if (message_.size() > limits_.max_message) {
      message_.resize(limits_.max_message);
      dropping_ = true;
      dropped_ = 0;
      if (!events_->OnOversize(kind, std::exchange(message_, {}))) return CloseFor(WebSocketCode::kTooBig);
    }
    if (stream_.is_message_done()) {
      if (!std::exchange(dropping_, false)) {
        message_.shrink_to_fit();
        events_->OnMessage(kind, std::exchange(message_, {}));
      }
      message_ = {};
    }
    ReadNext();
  }

  // ---- writing ----

  void WriteNext() {
    if (writing_ || finished_) return;
    if (queue_.empty()) {
      if (close_code_ && !close_sent_) SendClose();
      return;
    }
    writing_ = true;
    const auto& message = queue_.front();
    stream_.text(message.kind == MessageKind::kText);
    CutAfter(core_.options.progress_timeout);
    stream_.async_write(asio::buffer(message.payload),
                        [self = shared_from_this()](Error_code ec, std::size_t) { self->OnWritten(ec); });
  }

  void OnWritten(Error_code ec) {
    writing_ = false;
    if (finished_) return;
    if (!ending_) timer_.cancel();
    backlog_ -= queue_.front().payload.size();
    queue_.pop_front();
    // The read that is pending tells how it ended; without one this is the only place to learn it.
    if (ec) return reading_ ? Cut() : Finish(WebSocketCode::kAbnormal);
    WriteNext();
  }

  // ---- closing ----

  void CloseFor(std::uint16_t code) {
    closing_ = true;
    BeginClose(code);
  }

  void BeginClose(std::uint16_t code) {
    if (close_code_ || finished_) return;
    if (!opened_) return Cut();
    close_code_ = code;
    WriteNext();
  }

  void SendClose() {
    close_sent_ = true;
    CutAfter(core_.options.drain_timeout);
    stream_.async_close(ws::close_reason(*close_code_), [self = shared_from_this()](Error_code) {
      if (!self->reading_) self->Finish(*self->close_code_);
    });
    // What the client sent before its close frame is of no use to anybody any more.
  }

  void CutAfter(double seconds) {
    timer_.expires_after(Seconds(seconds));
    timer_.async_wait([self = shared_from_this()](Error_code ec) {
      if (!ec) self->Cut();
    });
  }

  void Cut() {
    const auto told = stream_.reason();
    Finish(close_code_.value_or(told ? told.code : WebSocketCode::kAbnormal));
  }

  void Finish(std::uint16_t code) {
    if (finished_) return;
    finished_ = true;
    closing_ = true;
    timer_.cancel();
    beast::get_lowest_layer(stream_).close();
    if (opened_) {
      if (core_.observer) core_.observer->OnWebSocketEnd();
      events_->OnClose(code);
    }
    events_.reset();
    core_.Remove(this);
  }

  ServerCore& core_;
  ws::stream<UpgradedStream> stream_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             Connection::Stream::executor_type>
      timer_;
  const RequestPtr request_;
  const WebSocketLimits limits_;
  std::unique_ptr<WebSocketEvents> events_;

  std::string message_;
  bool reading_ = false;
  bool paused_ = false;
  bool dropping_ = false;  ///< the rest of a message that is too long
  std::uint64_t dropped_ = 0;

  std::deque<Message> queue_;
  bool writing_ = false;
  std::atomic<std::size_t> backlog_ = 0;

  std::atomic<bool> closing_ = false;        ///< nothing more may be sent
  std::optional<std::uint16_t> close_code_;  ///< what we close with, once the queue is empty
  bool close_sent_ = false;
  bool ending_ = false;  ///< only the end of the connection is awaited
  bool opened_ = false;
  bool finished_ = false;
};

/// Applications may keep theirs for longer than the server lives.
class SocketHandle : public WebSocket {
 public:
  explicit SocketHandle(std::weak_ptr<WebSocketConnection> connection) : connection_(std::move(connection)) {}

  bool Send(MessageKind kind, std::string payload) override {
    const auto connection = connection_.lock();
    return connection && connection->Send(kind, std::move(payload));
  }
  void Close(std::uint16_t code) override {
    if (const auto connection = connection_.lock()) connection->Close(code);
  }
  void PauseReading(bool paused) override {
    if (const auto connection = connection_.lock()) connection->PauseReading(paused);
  }

 private:
  std::weak_ptr<WebSocketConnection> connection_;
};

void WebSocketConnection::OnAccept(Error_code ec) {
  if (core_.observer) core_.observer->OnRequest(request_->method, request_->route, ec ? 400 : 101, 0, 0);
  if (ec) {
    spdlog::debug("{} {}: no WebSocket: {} [{}]", request_->method, request_->path, ec.message(),
                  request_->trace_id);
    Cut();
    return;
  }
  opened_ = true;
  if (core_.observer) core_.observer->OnWebSocketBegin();
  events_->OnOpen(std::make_shared<SocketHandle>(weak_from_this()));
  if (core_.closing) Close(WebSocketCode::kGoingAway);
  ReadNext();
}

}  // namespace

bool Connection::AsksForWebSocket() const { return ws::is_upgrade(parser_->get()); }

void Connection::Upgrade() {
  auto events = match_.route->upgrade(request_);
  if (!events) return OnResponse(std::move(events.error()));
  stream_.expires_never();
  auto socket = std::make_shared<WebSocketConnection>(core_, std::move(stream_), buffer_, request_,
                                                      match_.route->websocket, std::move(*events));
  core_.Add(socket);
  closed_ = true;  // whatever still refers to this connection finds it ended
  in_request_ = false;
  core_.Remove(this);
  socket->Accept(parser_->get());
}

}  // namespace unmask::http
