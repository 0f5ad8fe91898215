// SPDX-License-Identifier: Apache-2.0
#include "api/analysis_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "base/version.hpp"

namespace unmask {
namespace {

prometheus::Histogram::BucketBoundaries Tenths() {
  return {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1};
}

/// "manipulated", ..., or the error's code.
std::string Outcome(const AnalysisRecord& record) {
  if (record.report) return std::string(VerdictName(record.report->verdict));
  return std::string(record.error ? CodeName(record.error->code) : StateName(record.state));
}

}  // namespace

struct AnalysisMetrics::State {
  explicit State(prometheus::Registry& registry)
      : outcomes(prometheus::BuildCounter()
                     .Name("unmask_analyses_total")
                     .Help("Analyses that have ended, by verdict or error code")
                     .Register(registry)),
        pending(prometheus::BuildGauge()
                    .Name("unmask_analyses_pending")
                    .Help("Analyses that wait for a worker")
                    .Register(registry)
                    .Add({})),
        running(prometheus::BuildGauge()
                    .Name("unmask_analyses_running")
                    .Help("Analyses that run")
                    .Register(registry)
                    .Add({})),
        duration(prometheus::BuildHistogram()
                     .Name("unmask_analysis_duration_seconds")
                     .Help("From the start of an analysis to its end")
                     .Register(registry)
                     .Add({}, http::LogBuckets(0.05, 1800, 2.5))),
        queue_wait(prometheus::BuildHistogram()
                       .Name("unmask_analysis_queue_wait_seconds")
                       .Help("From the upload to the start of its analysis")
                       .Register(registry)
                       .Add({}, http::LogBuckets(0.001, 600, 4))),
        faces(prometheus::BuildCounter()
                  .Name("unmask_faces_detected_total")
                  .Help("Faces in finished analyses")
                  .Register(registry)
                  .Add({})),
        frames(prometheus::BuildCounter()
                   .Name("unmask_frames_decoded_total")
                   .Help("Frames decoded in finished analyses")
                   .Register(registry)
                   .Add({})),
        scores(prometheus::BuildHistogram()
                   .Name("unmask_model_score")
                   .Help("Scores of finished analyses, to watch for drift")
                   .Register(registry)) {
    prometheus::BuildGauge()
        .Name("unmask_build_info")
        .Help("Always 1; the version is a label")
        .Register(registry)
        .Add({{"version", std::string(Version())}})
        .Set(1);
  }

  prometheus::Family<prometheus::Counter>& outcomes;
  prometheus::Gauge& pending;
  prometheus::Gauge& running;
  prometheus::Histogram& duration;
  prometheus::Histogram& queue_wait;
  prometheus::Counter& faces;
  prometheus::Counter& frames;
  prometheus::Family<prometheus::Histogram>& scores;
};

AnalysisMetrics::AnalysisMetrics(http::Metrics& metrics)
    : state_(std::make_unique<State>(metrics.registry())) {}
AnalysisMetrics::~AnalysisMetrics() = default;

void AnalysisMetrics::OnSubmit() { state_->pending.Increment(); }

void AnalysisMetrics::OnStart(double queue_seconds) {
  state_->pending.Decrement();
  state_->running.Increment();
  state_->queue_wait.Observe(queue_seconds);
}

void AnalysisMetrics::OnEnd(const AnalysisRecord& record) {
  state_->outcomes.Add({{"outcome", Outcome(record)}}).Increment();
  if (record.started == 0) return state_->pending.Decrement();
  state_->running.Decrement();
  state_->duration.Observe(record.finished - record.started);
  if (!record.report) return;
  const Report& report = *record.report;
  state_->faces.Increment(static_cast<double>(report.sampling.faces_found));
  state_->frames.Increment(static_cast<double>(report.sampling.frames_decoded));
  if (report.score)
    state_->scores
        .Add({{"model", report.model.name}, {"version", std::to_string(report.model.version)}}, Tenths())
        .Observe(*report.score);
}

}  // namespace unmask
