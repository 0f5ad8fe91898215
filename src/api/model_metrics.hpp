// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "http/metrics.hpp"
#include "model/served_model.hpp"

namespace unmask {

/// The numbers about the versions of a watched model at /metrics, by model, version and label: analyses and
/// failures, seconds; of a canary the agreement in the shadow, the shift of its scores, and whether it was
/// taken back.
class ModelMetrics {
 public:
  /// Adds its families to `metrics` and observes `served` (may be null) until this goes. Both must outlive
  /// it.
  ModelMetrics(http::Metrics& metrics, ServedModel* served);
  ~ModelMetrics();
  ModelMetrics(const ModelMetrics&) = delete;
  ModelMetrics& operator=(const ModelMetrics&) = delete;

 private:
  ServedModel* const served_;
};

/// What each version of `served` (null: none) is doing now, as /metrics has it (Prometheus text format
/// 0.0.4): its state, and how often in a row its engine elsewhere was not there.
std::string VersionMetricsText(const ServedModel* served);

}  // namespace unmask
