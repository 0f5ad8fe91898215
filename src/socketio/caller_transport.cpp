// SPDX-License-Identifier: Apache-2.0
#include "socketio/caller_transport.hpp"

#include <chrono>
#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <fmt/format.h>

namespace unmask::socketio {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxMessage = 64 << 20;  // bytes of one that a server sends; its results are kilobytes
constexpr double kConnectSeconds = 30;         // for the connection and the opening handshake
constexpr std::size_t kMaxPackets = 100'000;   // in one answer to a poll

std::chrono::steady_clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

/// Asynchronous operations, carried out one by one: those alone can be timed and interrupted.
class Loop {
 public:
  explicit Loop(std::stop_token stop) : stop_(std::move(stop)) {}

  asio::io_context& io() { return io_; }

  /// `start` begins an operation with the handler that it is given; `cancel` ends it early.
  template <typename Start, typename Cancel>
  error_code Run(Start start, Cancel cancel) {
    error_code result = asio::error::operation_aborted;
    if (stop_.stop_requested()) return result;
    bool done = false;
    start([&](error_code ec, auto&&...) {
      result = ec;
      done = true;
    });
    const std::stop_callback interrupt(stop_, [&] { asio::post(io_, cancel); });
    io_.restart();
    // Not run(): a WebSocket's timer waits on.
    while (!done && io_.run_one() > 0) {
    }
    return result;
  }

  Error Failure(const char* doing, error_code ec) const {
    if (stop_.stop_requested()) return {ErrorCode::kCancelled, "interrupted", "", ""};
    if (ec == beast::error::timeout)
      return {ErrorCode::kUnreadable, fmt::format("{}: no answer in time", doing), "", ""};
    return {ErrorCode::kUnreadable, fmt::format("{}: {}", doing, ec.message()), "", ""};
  }

 private:
  asio::io_context io_;
  const std::stop_token stop_;
};

error_code Dial(Loop& loop, beast::tcp_stream& stream, const CallerTransport::Place& place) {
  tcp::resolver resolver(loop.io());
  tcp::resolver::results_type found;
  const auto resolved = loop.Run(
      [&](auto handler) {
        resolver.async_resolve(place.host, place.port,
                               [&found, handler](error_code ec, auto results) mutable {
                                 found = std::move(results);
                                 handler(ec);
                               });
      },
      [&] { resolver.cancel(); });
  if (resolved) return resolved;
  stream.expires_after(Seconds(kConnectSeconds));
  return loop.Run([&](auto handler) { stream.async_connect(found, handler); }, [&] { stream.cancel(); });
}

std::string HostField(const CallerTransport::Place& place) {
  const bool v6 = place.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), place.host, place.port);
}

/// A connection for each request: the simplest thing that every server and proxy understands.
class PollingTransport : public CallerTransport {
 public:
  PollingTransport(Place place, double timeout, std::stop_token stop)
      : place_(std::move(place)), timeout_(timeout), loop_(std::move(stop)) {}

  Result<void> Open() override { return {}; }
  void SetSession(const std::string& sid) override { sid_ = sid; }

  Result<void> Send(const EnginePacket& packet) override {
    const auto answer = Ask(beast::http::verb::post, EncodePayload({packet}));
    if (!answer) return tl::unexpected(answer.error());
    return {};
  }

  Result<std::vector<EnginePacket>> Receive() override {
    const auto answer = Ask(beast::http::verb::get, "");
    if (!answer) return tl::unexpected(answer.error());
    auto packets = DecodePayload(*answer, kMaxPackets);
    if (!packets) return Fail(ErrorCode::kUnreadable, "the answer to a poll is no Engine.IO payload");
    return packets;
  }

 private:
  Result<std::string> Ask(beast::http::verb method, std::string body) {
    beast::tcp_stream stream(loop_.io());
    if (const auto ec = Dial(loop_, stream, place_)) return tl::unexpected(loop_.Failure("connecting", ec));
    const std::string session = sid_.empty() ? "" : "&sid=" + sid_;
    beast::http::request<beast::http::string_body> request(
        method, place_.path + "?EIO=4&transport=polling" + session, 11);
    request.set(beast::http::field::host, HostField(place_));
    request.set(beast::http::field::connection, "close");
    if (method == beast::http::verb::post)
      request.set(beast::http::field::content_type, "text/plain;charset=UTF-8");
    request.body() = std::move(body);
    request.prepare_payload();
    stream.expires_after(Seconds(timeout_));
    const auto cancel = [&] { stream.cancel(); };
    if (const auto ec =
            loop_.Run([&](auto handler) { beast::http::async_write(stream, request, handler); }, cancel))
      return tl::unexpected(loop_.Failure("sending", ec));
    beast::flat_buffer buffer;
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(kMaxMessage);
    stream.expires_after(Seconds(timeout_));
    if (const auto ec = loop_.Run(
            [&](auto handler) { beast::http::async_read(stream, buffer, parser, handler); }, cancel))
      return tl::unexpected(loop_.Failure("waiting", ec));
    const auto status = parser.get().result_int();
    if (status != 200)
      return Fail(ErrorCode::kUnreadable,
                  fmt::format("status {}: {}", status, parser.get().body().substr(0, 200)));
    return std::move(parser.get().body());
  }

  const Place place_;
  const double timeout_;
  Loop loop_;
  std::string sid_;
};

class WebSocketTransport : public CallerTransport {
 public:
  WebSocketTransport(Place place, double timeout, std::stop_token stop)
      : place_(std::move(place)), timeout_(timeout), loop_(std::move(stop)), socket_(loop_.io()) {}

  Result<void> Open() override {
    auto& stream = beast::get_lowest_layer(socket_);
    if (const auto ec = Dial(loop_, stream, place_)) return tl::unexpected(loop_.Failure("connecting", ec));
    stream.expires_never();  // the WebSocket keeps the time from here on
    socket_.set_option(
        beast::websocket::stream_base::timeout{Seconds(kConnectSeconds), Seconds(timeout_), false});
    socket_.read_message_max(kMaxMessage);
    socket_.text(true);
    beast::websocket::response_type answer;
    const auto ec = Do([&](auto handler) {
      socket_.async_handshake(answer, HostField(place_), place_.path + "?EIO=4&transport=websocket", handler);
    });
    if (ec == beast::websocket::error::upgrade_declined)
      return Fail(ErrorCode::kUnreadable, fmt::format("no WebSocket, status {}: {}", answer.result_int(),
                                                      answer.body().substr(0, 200)));
    if (ec) return tl::unexpected(loop_.Failure("opening a WebSocket", ec));
    return {};
  }

  void SetSession(const std::string&) override {}

  Result<void> Send(const EnginePacket& packet) override {
    const auto text = EncodePacket(packet);
    if (const auto ec = Do([&](auto handler) { socket_.async_write(asio::buffer(text), handler); }))
      return tl::unexpected(loop_.Failure("sending", ec));
    return {};
  }

  Result<std::vector<EnginePacket>> Receive() override {
    beast::flat_buffer buffer;
    const auto ec = Do([&](auto handler) { socket_.async_read(buffer, handler); });
    if (ec == beast::websocket::error::closed)
      return Fail(ErrorCode::kUnreadable,
                  fmt::format("the service closed the WebSocket with code {}", socket_.reason().code));
    if (ec) return tl::unexpected(loop_.Failure("waiting", ec));
    if (socket_.got_binary())
      return std::vector{EnginePacket{.data = beast::buffers_to_string(buffer.data()), .binary = true}};
    auto packet = DecodePacket(beast::buffers_to_string(buffer.data()));
    if (!packet) return Fail(ErrorCode::kUnreadable, "what came by the WebSocket is no Engine.IO packet");
    return std::vector{std::move(*packet)};
  }

 private:
  template <typename Start>
  error_code Do(Start start) {
    return loop_.Run(start, [this] { beast::get_lowest_layer(socket_).cancel(); });
  }

  const Place place_;
  const double timeout_;
  Loop loop_;
  beast::websocket::stream<beast::tcp_stream> socket_;
};

}  // namespace

std::unique_ptr<CallerTransport> MakePollingTransport(const CallerTransport::Place& place, double timeout,
                                                      std::stop_token stop) {
  return std::make_unique<PollingTransport>(place, timeout, std::move(stop));
}

std::unique_ptr<CallerTransport> MakeWebSocketTransport(const CallerTransport::Place& place, double timeout,
                                                        std::stop_token stop) {
  return std::make_unique<WebSocketTransport>(place, timeout, std::move(stop));
}

}  // namespace unmask::socketio
