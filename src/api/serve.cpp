// SPDX-License-Identifier: Apache-2.0
#include "api/serve.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "api/analysis_metrics.hpp"
#include "api/model_metrics.hpp"
#include "api/models.hpp"
#include "api/routes.hpp"
#include "base/file.hpp"
#include "base/install.hpp"
#include "base/thread_pool.hpp"
#include "feedback/store.hpp"
#include "http/origin_gate.hpp"

namespace unmask {
namespace {

constexpr double kDrainSeconds = 5;  // for answers under way after the last analysis has ended

template <typename T>
Result<void> InRange(const char* name, T value, T least, T most) {
  if (value >= least && value <= most) return {};
  return Fail(ErrorCode::kBadRequest,
              fmt::format("{} must be between {} and {}, found {}", name, least, most, value));
}

Result<void> Check(const ServeOptions& o) {
  for (const auto& checked : {
           InRange<std::uint64_t>("max upload bytes", o.max_upload_bytes, 1, std::uint64_t{1} << 50),
           InRange("jobs", o.jobs, 0, 1024),
           InRange("max queue", o.max_queue, 0, 1'000'000),
           InRange("max connections", o.max_connections, 1, 1'000'000),
           InRange("retention", o.retention, 1.0, kMaxRetention),
           InRange("retention count", o.retention_count, 1, 10'000'000),
           InRange("max wait", o.max_wait, 0.0, 3600.0),
           InRange("header timeout", o.header_timeout, 0.1, 3600.0),
           InRange("progress timeout", o.progress_timeout, 0.1, 3600.0),
           InRange("keep-alive timeout", o.keep_alive_timeout, 0.1, 3600.0),
           InRange("routing delay", o.routing_delay, 0.0, 3600.0),
           InRange("grace", o.grace, 0.0, 86400.0),
       })
    if (!checked) return checked;
  return {};
}

/// Connections, uploads and decoders need descriptors, and the usual soft limit of 1024 is soon reached.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Fills in what is empty, and makes sure that uploads can be stored.
Result<ServeOptions> Complete(ServeOptions options) {
  if (const auto checked = Check(options); !checked) return tl::unexpected(checked.error());
  options.jobs = ThreadsFor(options.jobs);
  std::error_code ec;
  if (options.data.empty()) options.data = std::filesystem::temp_directory_path(ec);
  if (options.web.empty()) options.web = FindInstallPaths().web;
  if (options.swagger_ui.empty()) options.swagger_ui = FindInstallPaths().swagger_ui;
  if (options.models.empty()) options.models = FindInstallPaths().models;
  std::filesystem::create_directories(options.data, ec);
  if (const auto probe = PrivateFile::Create(options.data); !probe)
    return Fail(ErrorCode::kUnreadable, probe.error().message, probe.error().hint);
  return options;
}

void WaitForStop(const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait(lock, stop, [] { return false; });
}

}  // namespace

Result<void> RunServer(const ServeOptions& given, Analyzer& analyzer, std::stop_token stop,
                       const std::function<void(const std::string& url)>& on_listening,
                       const MakeSites& make_sites) {
  const auto options = Complete(given);
  if (!options) return tl::unexpected(options.error());

  std::unique_ptr<FeedbackStore> feedback;
  if (!options->feedback.empty()) {
    auto opened = FeedbackStore::Open(options->feedback, options->feedback_bytes);
    if (!opened) return tl::unexpected(opened.error());
    feedback = std::move(*opened);
  }

  RaiseDescriptorLimit();
  std::atomic<bool> ready = true;
  http::Metrics metrics;
  AnalysisMetrics analysis_metrics(metrics);
  const ModelMetrics model_metrics(metrics, VersionsOf(analyzer));
  // The server goes first at the end: its connections refer to the service, never the other way round once
  // the service has shut down.
  AnalysisService service({.jobs = options->jobs,
                           .max_queue = options->max_queue,
                           .retention_count = options->retention_count,
                           .retention_bytes = options->retention_bytes},
                          analyzer, &analysis_metrics);
  const auto server = http::Server::Create({.max_connections = options->max_connections,
                                            .header_timeout = options->header_timeout,
                                            .keep_alive_timeout = options->keep_alive_timeout,
                                            .progress_timeout = options->progress_timeout},
                                           &metrics);
  const auto router = std::make_shared<http::Router>();
  const ApiContext context{service, analyzer, *server, metrics, *options, ready, feedback.get()};
  AddAnalysisRoutes(*router, context);
  AddFeedbackRoute(*router, context);
  AddModelRoutes(*router, {analyzer, options->models});
  AddOperationRoutes(*router, context);
  const auto docs = ReadDocsFiles(options->web, options->swagger_ui);
  AddPageRoutes(*router, options->web, *docs);

  std::vector<ServedSite> sites;
  if (make_sites) {
    auto made = make_sites({service, analyzer, *server, *options, ready, docs});
    if (!made) return tl::unexpected(made.error());
    sites = std::move(*made);
  }
  for (const auto& site : sites)
    if (!site.prefix.empty()) router->Mount(site.prefix, *site.routes);

  const auto gate = [&](const std::string& listen) {
    return http::MakeOriginGate({.origins = options->allow_origins,
                                 .check_host = !options->allow_hosts.empty() || http::IsLoopback(listen),
                                 .hosts = options->allow_hosts});
  };
  const auto address = server->Listen(options->listen, router, gate(options->listen));
  if (!address) return tl::unexpected(address.error());
  std::vector<std::function<void()>> announcements;  // made when all addresses are known to be free
  for (const auto& site : sites)
    for (const auto& listen : site.listen) {
      const auto own = server->Listen(listen, site.routes, site.any_page ? http::Gate() : gate(listen));
      if (!own) return tl::unexpected(own.error());
      if (site.on_listening)
        announcements.push_back([&site, url = "http://" + *own] { site.on_listening(url); });
    }
  if (on_listening) on_listening("http://" + *address);
  for (const auto& announce : announcements) announce();

  WaitForStop(stop);
  spdlog::info("shutting down: {} analyses wait", service.pending());
  ready = false;
  if (options->routing_delay > 0)
    std::this_thread::sleep_for(std::chrono::duration<double>(options->routing_delay));
  for (const auto& site : sites)
    if (site.on_shutdown) site.on_shutdown();
  server->StopAccepting();
  service.Shutdown(options->grace);
  if (!server->Drain(kDrainSeconds)) spdlog::warn("some clients did not take their answers in time");
  return {};
}

}  // namespace unmask
