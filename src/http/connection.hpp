// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inside of the server: included by connection*.cpp and server.cpp alone, since Beast is slow to compile.
// connection.cpp reads requests, connection_answer.cpp waits for and writes answers, connection_websocket.cpp
// takes over what has become a WebSocket.

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "base/thread_pool.hpp"
#include "http/server.hpp"

namespace unmask::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;

inline constexpr std::size_t kPieceBytes = 64 * 1024;  ///< read, handed on and written at a time

/// The answer to what should not happen; the log says more.
inline const Error kFault{ErrorCode::kInternal, "an unexpected fault", "see the server's log", ""};

inline std::chrono::steady_clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

/// What keeps a socket of ours open, for the server to end. Calls come from any thread.
class Peer {
 public:
  virtual ~Peer() = default;

  /// Now when idle, otherwise after the present answer.
  virtual void CloseWhenIdle() = 0;

  /// Whatever happens.
  virtual void CloseNow() = 0;
};

/// What all connections of a server share.
struct ServerCore {
  ServerCore(ServerOptions opts, Observer* obs);

  const ServerOptions options;
  Observer* const observer;
  asio::io_context io;
  std::atomic<bool> closing = false;  ///< no further requests on any connection

  /// At most one task of a connection waits or runs at a time, so this pool never refuses one.
  std::optional<ThreadPool> pool;

  void Add(std::shared_ptr<Peer> peer);
  void Remove(const Peer* peer);
  std::vector<std::shared_ptr<Peer>> Snapshot() const;
  std::size_t size() const;
  bool WaitUntilEmpty(double seconds);

 private:
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::unordered_map<const Peer*, std::shared_ptr<Peer>> peers_;
};

/// What a listener's connections answer with.
struct Served {
  std::shared_ptr<const Router> routes;
  Gate gate;  ///< may be null
};

/// One client. All members are touched on the strand only; the core keeps it alive until Close().
///
/// The way of a request: ReadNext -> OnHeader -> (Accept -> ReadBody...) -> Answer by a handler, while Watch
/// looks whether the client goes away -> OnResponse -> Write -> ReadNext, or Linger and Close; or OnHeader ->
/// Upgrade, which gives the socket away.
class Connection : public Peer, public std::enable_shared_from_this<Connection> {
 public:
  using Socket = asio::basic_stream_socket<tcp, asio::strand<asio::io_context::executor_type>>;
  using Stream = beast::basic_stream<tcp, asio::strand<asio::io_context::executor_type>>;

  /// `surplus`: beyond max_connections, answers only routes that run in place.
  Connection(ServerCore& core, Socket socket, std::shared_ptr<const Served> served, bool surplus);

  void Start();

  void CloseWhenIdle() override;
  void CloseNow() override;

  /// From any thread, by the responder of request number `exchange`.
  void PostResponse(std::uint64_t exchange, Response response);
  std::shared_ptr<BodyStream> PostStream(std::uint64_t exchange, Response head);
  void PostChunk(std::uint64_t exchange, std::string bytes);
  void PostAbandoned(std::uint64_t exchange);
  void PostStreamEnd(std::uint64_t exchange);

  /// Bytes of a BodyStream that wait; shared with its handles.
  struct Backlog {
    std::atomic<std::size_t> bytes = 0;
    std::atomic<bool> broken = false;
  };

 private:
  using Parser = beast::http::request_parser<beast::http::buffer_body>;
  using Error_code = beast::error_code;

  void ReadNext();
  void ReadHeader();
  void OnHeader(Error_code ec);
  std::optional<Error> BuildRequest();
  void Dispatch();
  void RunHandler();
  bool AsksForWebSocket() const;
  void Upgrade();
  void Accept();
  void Send100ThenRead();
  void ReadBody();
  void OnBody(Error_code ec);
  void FinishBody();
  void Watch();

  void Refuse(const Error& error, int status = 0);  ///< answers with the route's error style
  void OnResponse(Response response);
  void AddGranted(Response& response) const;
  void WriteSlice();
  void AfterWrite();
  void WriteChunks();
  void Linger();
  void ReadLingering();
  void Close();

  Responder MakeResponder();
  Response ErrorResponse(const Error& error) const;
  bool BodyIsPending() const;

  /// Runs `work` where the route wants it, then, on the strand, what it gives.
  template <typename Work>
  void Run(Work work);

  ServerCore& core_;
  Stream stream_;
  beast::flat_buffer buffer_;
  const std::shared_ptr<const Served> served_;
  const bool surplus_;

  // One request.
  std::uint64_t exchange_ = 0;
  std::optional<Parser> parser_;
  std::shared_ptr<Request> request_;
  Router::Match match_;
  Headers granted_;  ///< by the gate, for the answer
  std::stop_source gone_;
  std::chrono::steady_clock::time_point began_;
  std::unique_ptr<BodyReceiver> receiver_;
  std::vector<char> piece_;
  std::uint64_t body_bytes_ = 0;
  std::chrono::steady_clock::duration window_left_{};  ///< of progress_timeout
  std::uint64_t window_bytes_ = 0;
  bool uploading_ = false;
  bool in_request_ = false;  ///< between a header and the end of its answer
  bool answering_ = false;   ///< a handler owes the answer

  // One answer.
  Response response_;
  std::string head_;
  std::size_t written_ = 0;
  bool close_after_ = false;
  std::shared_ptr<Backlog> backlog_;  ///< set while a BodyStream is open
  std::deque<std::string> chunks_;
  bool writing_chunks_ = false;
  bool stream_ended_ = false;

  // The connection.
  bool idle_ = false;
  bool watching_ = false;
  void (Connection::*after_watch_)() = nullptr;  ///< what goes on when a cancelled Watch has ended
  bool client_left_ = false;
  bool closed_ = false;
  bool first_request_ = true;
  std::uint64_t lingered_ = 0;
};

}  // namespace unmask::http
