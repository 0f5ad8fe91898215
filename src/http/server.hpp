// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/router.hpp"
#include "unmask/error.hpp"

namespace unmask::http {

/// Budgets of the server. All times are seconds.
struct ServerOptions {
  int io_threads = 2;          ///< that move bytes; they never block
  int handler_threads = 4;     ///< that run handlers and write uploads to disk
  int max_connections = 1024;  ///< open at once; further ones get only what runs in place, else 503
  std::size_t max_header_bytes = 16 * 1024;  ///< of one request's line and fields; more is 431
  double header_timeout = 10;      ///< from a request's first byte (or the connection) to the header's end
  double keep_alive_timeout = 60;  ///< between requests
  double progress_timeout = 20;    ///< in which a body must bring, or a client take, `progress_bytes`
  std::uint64_t progress_bytes = 16 * 1024;  ///< see progress_timeout; a slower client is given up
  double drain_timeout = 5;  ///< reading on after an early refusal, so that the client sees it
  std::uint64_t drain_bytes = 256ull << 20;  ///< likewise, at most
};

/// What happens to requests, for metrics. Called on network threads: must not block.
class Observer {
 public:
  virtual ~Observer() = default;
  /// After an answer was written, or could not be. `route` is the template, or "unknown".
  virtual void OnRequest(const std::string& method, const std::string& route, int status, double seconds,
                         std::uint64_t body_bytes) = 0;
  virtual void OnUploadBegin() = 0;
  virtual void OnUploadEnd() = 0;
  /// A WebSocket was opened, after OnRequest with status 101; each ends once.
  virtual void OnWebSocketBegin() {}
  virtual void OnWebSocketEnd() {}
};

/// Calls back later. Thread-safe.
class Timers {
 public:
  virtual ~Timers() = default;

  /// Calls `then` on a network thread after `seconds`, unless the handle has gone before. `then` must not
  /// block. A call that has begun is not waited for.
  [[nodiscard]] virtual std::shared_ptr<void> After(double seconds, std::function<void()> then) = 0;
};

/// Runs tasks on the threads that handlers run on. Thread-safe.
class Tasks {
 public:
  virtual ~Tasks() = default;

  /// False, and the task is not taken, when too many wait.
  virtual bool Submit(std::function<void()> task) = 0;
};

/// An HTTP/1.1 server on any number of listeners, each with routes of its own. Network threads move bytes;
/// handlers run on a pool (see Route::Runs). Bodies stream into receivers; the connection is watched while an
/// answer is awaited, so that Request::gone tells when the client has left.
class Server : public Timers, public Tasks {
 public:
  /// Starts the threads. `observer` may be null and must outlive the server.
  static std::unique_ptr<Server> Create(ServerOptions options, Observer* observer = nullptr);

  /// Closes everything at once and joins the threads. Responders that still wait become void.
  ~Server() override = default;

  /// Listens on "ADDR:PORT" or "[IPV6]:PORT", port 0 for a free one, and answers what `gate` lets pass (null:
  /// everything) by `routes`. Gives the address with the real port, written as in a URL. kBadRequest for a
  /// malformed address, kConflict when it is in use, kUnreadable when it may not be bound.
  virtual Result<std::string> Listen(const std::string& address, std::shared_ptr<const Router> routes,
                                     Gate gate = {}) = 0;

  /// Refuses new connections and closes idle ones; requests under way go on, and each connection ends with
  /// its present answer. WebSockets are closed with 1001.
  virtual void StopAccepting() = 0;

  /// Waits until all connections have ended, at most `seconds`, then closes the rest. False when it had to.
  virtual bool Drain(double seconds) = 0;

  virtual std::size_t connections() const = 0;
};

}  // namespace unmask::http
