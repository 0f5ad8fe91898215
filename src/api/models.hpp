// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "http/router.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

class ServedModel;

/// What the routes about models work with; `analyzer` outlives their last call.
struct ModelsView {
  Analyzer& analyzer;
  std::filesystem::path models;  ///< the repository
  bool require_gate = false;     ///< labels take a version only when CheckGate() lets it pass
};

/// GET /v1/models and all below it: the versions of the repository, and for the model that this server
/// watches their states, labels and the log of changes.
void AddModelRoutes(http::Router& router, const ModelsView& view);

/// POST /{name}/promote, /{name}/rollback and /{name}/route, to be mounted at /v1/models, for who has the
/// admin token; all are refused when `token` is empty.
std::shared_ptr<const http::Router> ModelChangeRoutes(const ModelsView& view, const std::string& token);

/// The versions of the analyzer's model; null when they do not change.
ServedModel* VersionsOf(Analyzer& analyzer);

/// The same when the model is the one of that name, else null.
ServedModel* WatchedModel(const ModelsView& view, const std::string& name);

/// The name as it stands in the repository, so that no name from a client becomes a path; kNotFound
/// otherwise.
Result<std::string> KnownModel(const ModelsView& view, const std::string& name);

/// The answer of GET /v1/models/{name}. `name` is a known one.
http::Response ModelAnswer(const ModelsView& view, const std::string& name);

}  // namespace unmask
