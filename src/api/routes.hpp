// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "api/docs.hpp"
#include "api/serve.hpp"
#include "api/service.hpp"
#include "http/metrics.hpp"
#include "http/router.hpp"
#include "http/server.hpp"

namespace unmask {

inline constexpr double kDefaultWait = 30;             ///< seconds of ?wait=; native-api, section 3
inline constexpr double kMaxRetention = 30 * 86400.0;  ///< seconds of ?retention=
inline constexpr std::size_t kMaxLabel = 255;          ///< bytes of ?name= and of a file's name

/// What the handlers of the native interface work with. All references outlive the routes' last call.
struct ApiContext {
  AnalysisService& service;
  Analyzer& analyzer;
  http::Timers& timers;
  http::Metrics& metrics;
  const ServeOptions& options;     ///< with no empty path
  const std::atomic<bool>& ready;  ///< false while shutting down
  FeedbackStore* feedback;         ///< null: feedback is refused
};

/// /v1/analyses and all below it.
void AddAnalysisRoutes(http::Router& router, const ApiContext& context);

/// POST /v1/analyses/{id}/feedback, and its numbers at /metrics.
void AddFeedbackRoute(http::Router& router, const ApiContext& context);

/// The record of a finished analysis; kNotFound or kConflict otherwise.
Result<AnalysisRecord> FindDone(const ApiContext& context, const http::Request& request);

/// /healthz, /readyz, /version, /metrics, /v1/limits, /v1/models.
void AddOperationRoutes(http::Router& router, const ApiContext& context);

/// The page's files, /openapi.json with /docs (see DocsPages) and /words.json (titles and meanings of all
/// codes). The files are read once from `folder`: a fixed list, so that no path from a client reaches the
/// disk. Missing files are left out with a warning in the log.
void AddPageRoutes(http::Router& router, const std::filesystem::path& folder, const DocsFiles& docs);

}  // namespace unmask
