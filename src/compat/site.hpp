// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "compat/contract.hpp"
#include "http/router.hpp"

namespace unmask::compat {

/// The routes of one original service, with what its framework does on its own: error pages, OPTIONS, HEAD,
/// CORS. Made once at start, then only read.
class Site {
 public:
  enum class Framework {
    kFlask,    ///< Werkzeug's pages for errors; OPTIONS on every route
    kFastApi,  ///< {"detail": ...} for errors; OPTIONS only as a preflight; no HEAD of GET's routes; a slash
               ///< too many at the end of a path is 307
  };

  /// Words an error of the server itself (body too large, disk full, queue full): everything but 400, 404 and
  /// 405, which the framework words.
  using Fault = std::function<http::Response(const Error&)>;

  Site(Framework framework, bool cors, Fault fault);

  /// May refuse a request before its handler sees it, and may block.
  using Guard = std::function<Result<void>(const http::Request&)>;

  void Get(const std::string& path, http::Handler handler,
           http::Route::Runs runs = http::Route::Runs::kOnPool);

  /// A guarded one, on the pool; Flask's own answer to OPTIONS is guarded, too.
  void Get(const std::string& path, http::Handler handler, Guard guard);

  /// An answer that is the same for everybody. FastAPI's own pages are such, and have HEAD.
  void Page(const std::string& path, http::Response response);

  /// /openapi.json, /docs and /redoc with the description web/compat/NAME.openapi.json. The originals in
  /// FastAPI have them; Flask's have nothing there.
  void Docs(const ContractContext& context);

  /// A route that takes a body of at most `max_body` bytes.
  void Post(const std::string& path, std::uint64_t max_body, http::BodyHandler handler);

  /// Any other route, left as it is, CORS apart.
  http::Router& router() { return *router_; }

  std::shared_ptr<const http::Router> Finish() { return std::move(router_); }

 private:
  struct Manner;  ///< what routes and error style share

  void AddGet(const std::string& path, http::Handler handler, http::Route::Runs runs, const Guard& guard);
  void AddOptions(const std::string& path, const std::string& allow, http::Route::Runs runs,
                  const Guard& guard);

  std::shared_ptr<Manner> manner_;
  std::shared_ptr<http::Router> router_;
};

}  // namespace unmask::compat
