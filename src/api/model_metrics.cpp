// SPDX-License-Identifier: Apache-2.0
#include "api/model_metrics.hpp"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace unmask {

ModelMetrics::ModelMetrics(http::Metrics& metrics, ServedModel* served) : served_(served) {
  if (served_ == nullptr) return;
  prometheus::Registry& registry = metrics.registry();
  auto& analyses = prometheus::BuildCounter()
                       .Name("unmask_model_analyses_total")
                       .Help("Analyses on each version of the model, by outcome: ok or failed")
                       .Register(registry);
  auto& seconds = prometheus::BuildHistogram()
                      .Name("unmask_model_analysis_seconds")
                      .Help("Wall clock of an analysis on each version of the model")
                      .Register(registry);
  auto& agreement = prometheus::BuildCounter()
                        .Name("unmask_canary_verdicts_total")
                        .Help("Verdicts of a canary in the shadow, by whether stable's was the same")
                        .Register(registry);
  auto& shift = prometheus::BuildGauge()
                    .Name("unmask_canary_score_shift")
                    .Help("Mean score of the canary minus that of stable, over the newest analyses")
                    .Register(registry);
  auto& rollbacks = prometheus::BuildCounter()
                        .Name("unmask_canary_rollbacks_total")
                        .Help("Canaries that were taken back automatically")
                        .Register(registry);
  served_->Observe([&analyses, &seconds, &agreement, &shift, &rollbacks,
                    model = served_->name()](const ServedModel::Told& told) {
    const prometheus::Labels version = {{"model", model}, {"version", std::to_string(told.version)}};
    prometheus::Labels labelled = version;
    labelled["label"] = told.label;
    if (!told.judgement.failed)
      seconds.Add(labelled, http::LogBuckets(0.05, 1800, 2.5)).Observe(told.judgement.seconds);
    labelled["outcome"] = told.judgement.failed ? "failed" : "ok";
    analyses.Add(labelled).Increment();
    prometheus::Labels agrees = version;
    agrees["agrees"] = told.agrees.value_or(false) ? "yes" : "no";
    if (told.agrees) agreement.Add(agrees).Increment();
    if (told.shift && (told.label == "canary" || told.label == "shadow")) shift.Add(version).Set(*told.shift);
    if (told.rolled_back) rollbacks.Add(version).Increment();
  });
}

std::string VersionMetricsText(const ServedModel* served) {
  if (served == nullptr) return {};
  std::string states =
      "# HELP unmask_model_state State of each version: 10 START, 20 LOADING, 30 AVAILABLE, 40 UNLOADING, 50 "
      "END\n# TYPE unmask_model_state gauge\n";
  std::string tries =
      "# HELP unmask_model_failed_tries Loads in a row of a version that found its engine elsewhere not "
      "there\n"
      "# TYPE unmask_model_failed_tries gauge\n";
  for (const VersionStatus& status : served->Status()) {
    const std::string labels =
        fmt::format("{{model=\"{}\",version=\"{}\"}}", http::EscapedLabel(served->name()), status.version);
    states += fmt::format("unmask_model_state{} {}\n", labels, static_cast<int>(status.state));
    tries += fmt::format("unmask_model_failed_tries{} {}\n", labels, status.tries);
  }
  return states + tries;
}

ModelMetrics::~ModelMetrics() {
  if (served_ != nullptr) served_->Observe({});
}

}  // namespace unmask
