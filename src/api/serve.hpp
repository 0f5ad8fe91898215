// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "http/router.hpp"
#include "media/media.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

/// How `unmask serve` serves. Every field has a default that suits one machine.
struct ServeOptions {
  std::string listen = "127.0.0.1:8080";  ///< ADDR:PORT or [IPV6]:PORT; port 0 takes a free one
  /// Foreign origins whose pages may use the main listener (and others, see ServedSite), and names under
  /// which it may be addressed, in the forms of http/origin_gate.hpp. Names are checked when some are given
  /// or it listens on a loopback address.
  std::vector<std::string> allow_origins, allow_hosts;

  std::filesystem::path data;  ///< uploads lie here, nameless, while they are analysed; empty: the system's
                               ///< folder for temporary files. Made when absent
  std::filesystem::path web;   ///< the page's files; empty: FindInstallPaths().web
  std::filesystem::path swagger_ui;  ///< of /docs; empty: FindInstallPaths().swagger_ui
  std::filesystem::path models;  ///< the repository that /v1/models lists; empty: FindInstallPaths().models

  std::filesystem::path feedback;  ///< where POST /v1/analyses/{id}/feedback keeps what people say, with
                                   ///< faces when they agree (feedback/store.hpp); empty: it is refused
  std::uint64_t feedback_bytes = std::uint64_t{1} << 30;  ///< of that folder; more is refused

  std::uint64_t max_upload_bytes = std::uint64_t{2} << 30;  ///< of one request's body
  int jobs = 0;                ///< analyses that run at once; 0 = one for each core
  int max_queue = 64;          ///< analyses that may wait; one more is answered 503
  int max_connections = 1024;  ///< open at once; one more is answered 503

  double retention = 3600;         ///< seconds that a finished analysis is kept, 1..2592000
  int retention_count = 1000;      ///< finished analyses that are kept; the oldest goes first
  double max_wait = 300;           ///< seconds, the most that ?wait= may ask for
  double header_timeout = 10;      ///< seconds in which a request's header must arrive
  double progress_timeout = 20;    ///< seconds without a byte from (or to) a client before it is given up
  double keep_alive_timeout = 60;  ///< seconds that a connection may idle between requests

  std::uint64_t retention_bytes = 256 << 20;  ///< memory for finished analyses; the oldest goes first
  MediaLimits media;  ///< what the analyzer was made with, for /v1/limits; changes nothing

  double routing_delay = 0;  ///< seconds between "not ready" and the end of accepting, for load balancers
  double grace = 10;         ///< seconds that running analyses get to finish at shutdown
};

class AnalysisService;
class FeedbackStore;
struct DocsFiles;
namespace http {
class Server;
}

/// What handlers of other rooms may work with. All references outlive the last call of a route.
struct ServeParts {
  AnalysisService& service;
  Analyzer& analyzer;
  http::Server& server;
  const ServeOptions& options;     ///< with no empty path
  const std::atomic<bool>& ready;  ///< false while shutting down
  std::shared_ptr<const DocsFiles> docs;
};

/// Further routes beside the native interface.
struct ServedSite {
  std::string prefix;                          ///< under which the main listener has them, for its own pages
                                               ///< and allowed origins alone; empty: it has them not
  std::shared_ptr<const http::Router> routes;  ///< at their own root
  std::vector<std::string> listen;             ///< addresses where they own the root; may be none
  bool any_page = false;  ///< there, pages of every origin are let in; otherwise as at the main listener
  std::function<void(const std::string& url)> on_listening;  ///< called for each of those
  std::function<void()>
      on_shutdown;  ///< ends what lasts longer than a request, before connections are closed
};

/// Makes them, once, before anything is served. An error ends RunServer().
using MakeSites = std::function<Result<std::vector<ServedSite>>(const ServeParts&)>;

/// Serves the native interface (/v1, operations, the page) until `stop` is requested and the shutdown is
/// done. Blocks. `on_listening` is called once, with "http://127.0.0.1:8080", when connections are accepted.
/// Installs no signal handlers. Fails with kBadRequest (an option out of range), kConflict (the address is in
/// use) or kInternal, each with a hint; nothing is served then.
Result<void> RunServer(const ServeOptions& options, Analyzer& analyzer, std::stop_token stop,
                       const std::function<void(const std::string& url)>& on_listening = {},
                       const MakeSites& make_sites = {});

}  // namespace unmask
