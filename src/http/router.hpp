// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/handler.hpp"
#include "http/websocket.hpp"

namespace unmask::http {

struct Route {
  enum class Runs {
    kOnPool,   ///< on a thread of the handler pool: may take its time and touch the disk
    kInPlace,  ///< on the network thread, receivers too: must return at once; serves also while the pool is
               ///< busy
  };
  std::string method;  ///< GET also serves HEAD; "*" serves methods that no other route of the path serves
  std::string path;    ///< a template: "/v1/analyses/{id}"; a parameter is one whole segment
  Runs runs = Runs::kOnPool;
  Handler handle;              ///< of routes without a body; a small body is read and ignored
  BodyHandler receive;         ///< of routes with a body
  std::uint64_t max_body = 0;  ///< bytes; more is refused with kTooLarge
  WebSocketHandler upgrade;    ///< of GET: takes requests to open a WebSocket, others go to `handle`
  WebSocketLimits websocket;   ///< of `upgrade`
  bool when_full = true;       ///< with kInPlace: served on connections beyond max_connections, too
  std::shared_ptr<const ErrorStyle> style;  ///< filled in by the router
};

/// Finds the route of a request. Built once, then only read: lookups from many threads are safe.
class Router {
 public:
  /// `style` words the errors of these routes and, at the root, those of unknown paths.
  explicit Router(ErrorStyle style = {});

  /// Routes without a body. Two routes with the same method and template are a programming error (throws
  /// std::logic_error), as is a malformed template.
  void Get(std::string path, Handler handler, Route::Runs runs = Route::Runs::kOnPool);
  void Delete(std::string path, Handler handler);

  /// A route that takes a body of at most `max_body` bytes.
  void Post(std::string path, std::uint64_t max_body, BodyHandler handler);

  /// Opens WebSockets at `path`. Get() with the same path serves its other GET requests; without that they
  /// are answered 426.
  void WebSocket(std::string path, WebSocketLimits limits, WebSocketHandler handler);

  void Add(Route route);

  /// Adds another router's routes under a prefix such as "/compat/mesonet-api"; they keep their error style,
  /// which also words unknown paths under that prefix.
  void Mount(const std::string& prefix, const Router& other);

  struct Match {
    const Route* route = nullptr;  ///< null: see `error`
    std::map<std::string, std::string> params;
    Error error;                        ///< kNotFound, kMethodNotAllowed or kBadRequest
    std::string allow;                  ///< of kMethodNotAllowed: the value of the Allow header
    const ErrorStyle* style = nullptr;  ///< never null
  };

  /// `path` is percent-encoded. Literal segments win over parameters. HEAD finds GET's route.
  Match Find(std::string_view method, std::string_view path) const;

  const std::vector<Route>& routes() const { return routes_; }

  /// That of the root.
  const ErrorStyle& style() const { return *style_; }

 private:
  struct Prefix {
    std::string path;
    std::shared_ptr<const ErrorStyle> style;
  };
  std::shared_ptr<const ErrorStyle> style_;
  std::vector<Route> routes_;
  std::vector<Prefix> prefixes_;
};

}  // namespace unmask::http
