// SPDX-License-Identifier: Apache-2.0
#include "api/engine_metrics.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/metrics.hpp"

namespace unmask {
namespace {

/// 0 closed, 1 half open, 2 open: the worse, the higher.
int Level(BreakerState state) {
  return state == BreakerState::kClosed ? 0 : state == BreakerState::kHalfOpen ? 1 : 2;
}

struct Sum {
  int level = 0;
  EngineStatus counts;
};

}  // namespace

std::string EngineMetricsText(const std::vector<EngineStatus>& engines) {
  std::map<std::string, Sum> sums;
  for (const EngineStatus& engine : engines) {
    Sum& sum = sums[fmt::format("model=\"{}\"", http::EscapedLabel(engine.model))];
    sum.level = std::max(sum.level, Level(engine.state));
    sum.counts.answered += engine.answered;
    sum.counts.failed += engine.failed;
    sum.counts.refused += engine.refused;
    sum.counts.retries += engine.retries;
    sum.counts.seconds += engine.seconds;
  }
  if (sums.empty()) return {};
  std::string out =
      "# HELP unmask_engine_state Of a network that runs elsewhere: 0 it is asked, 1 one call finds out, 2 "
      "it is left "
      "alone\n# TYPE unmask_engine_state gauge\n";
  for (const auto& [label, sum] : sums)
    out += fmt::format("unmask_engine_state{{{}}} {}\n", label, sum.level);
  out +=
      "# HELP unmask_engine_batches_total Batches for a network that runs elsewhere, by outcome\n"
      "# TYPE unmask_engine_batches_total counter\n";
  for (const auto& [label, sum] : sums)
    for (const auto& [outcome, count] :
         {std::pair("answered", sum.counts.answered), std::pair("failed", sum.counts.failed),
          std::pair("refused", sum.counts.refused)})
      out += fmt::format("unmask_engine_batches_total{{{},outcome=\"{}\"}} {}\n", label, outcome, count);
  out +=
      "# HELP unmask_engine_retries_total Further attempts of such batches\n"
      "# TYPE unmask_engine_retries_total counter\n";
  for (const auto& [label, sum] : sums)
    out += fmt::format("unmask_engine_retries_total{{{}}} {}\n", label, sum.counts.retries);
  out +=
      "# HELP unmask_engine_seconds_total Spent on batches that were answered or failed\n"
      "# TYPE unmask_engine_seconds_total counter\n";
  for (const auto& [label, sum] : sums)
    out += fmt::format("unmask_engine_seconds_total{{{}}} {}\n", label, sum.counts.seconds);
  return out;
}

std::string EngineLeftAlone(const std::vector<EngineStatus>& engines) {
  for (const EngineStatus& engine : engines)
    if (engine.state == BreakerState::kOpen) return engine.model;
  return {};
}

std::string ReadinessJson(const std::vector<EngineStatus>& engines) {
  nlohmann::ordered_json json{{"status", "ready"}};
  for (const EngineStatus& engine : engines)
    json["engines"].push_back(
        {{"model", engine.model}, {"protocol", engine.protocol}, {"state", BreakerStateName(engine.state)}});
  return json.dump() + "\n";
}

}  // namespace unmask
