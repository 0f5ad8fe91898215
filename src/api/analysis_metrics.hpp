// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "api/service.hpp"
#include "http/metrics.hpp"

namespace unmask {

/// The numbers about analyses at /metrics: outcomes, durations, queue, faces, frames, scores. Thread-safe.
class AnalysisMetrics : public AnalysisObserver {
 public:
  /// Adds its families to `metrics`, which must outlive it.
  explicit AnalysisMetrics(http::Metrics& metrics);
  ~AnalysisMetrics() override;

  void OnSubmit() override;
  void OnStart(double queue_seconds) override;
  void OnEnd(const AnalysisRecord& record) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace unmask
