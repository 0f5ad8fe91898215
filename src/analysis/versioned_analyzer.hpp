// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "model/served_model.hpp"
#include "unmask/analyzer.hpp"
#include "unmask/serving.hpp"

namespace unmask {

/// An Analyzer for servers, whose model's versions come and go while it runs (ServedModel). An analysis ends
/// on the version that it began with; the file's content decides which one that is. In the shadow of the
/// version that answers a canary may judge the same file later, on a thread of its own. Thread-safe like
/// every Analyzer.
class VersionedAnalyzer : public Analyzer {
 public:
  /// As Analyzer::Create(), but for an engine elsewhere that is not there: it begins all the same, and is
  /// Ready() once some version is available. `config.model` is a name alone.
  static Result<std::unique_ptr<VersionedAnalyzer>> Create(AnalyzerConfig config, const ModelWatch& watch);

  virtual ServedModel& served() = 0;
};

}  // namespace unmask
