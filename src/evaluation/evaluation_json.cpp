// SPDX-License-Identifier: Apache-2.0
#include "evaluation/evaluation_json.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "render/json_value.hpp"
#include "render/round.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxPoints = 1000;

Json Number(double value) {
  return std::isfinite(value) ? Json(RoundTo(value, 1e9)) : Json(nullptr);  // a first threshold is infinite
}

Json ToValue(const Estimate& estimate) {
  if (!estimate.value) return {{"value", nullptr}, {"reason", estimate.value.error()}};
  Json value = {{"value", Number(*estimate.value)}};
  value["interval"] = estimate.interval
                          ? Json({Number(estimate.interval->low), Number(estimate.interval->high)})
                          : Json(nullptr);
  return value;
}

Json ToValue(const ClassCounts& counts) {
  return {{"files", counts.files},
          {"manipulated", counts.manipulated},
          {"no_manipulation_found", counts.no_manipulation_found},
          {"inconclusive", counts.inconclusive},
          {"no_face", counts.no_face},
          {"failed", counts.failed},
          {"scored", counts.scored},
          {"reasons", counts.reasons}};
}

Json ToValue(const AtThreshold& at) {
  return {{"threshold", Number(at.threshold)},
          {"by_another", at.by_another},
          {"true_positives", at.matrix.true_positives},
          {"false_negatives", at.matrix.false_negatives},
          {"false_positives", at.matrix.false_positives},
          {"true_negatives", at.matrix.true_negatives},
          {"fpr", ToValue(at.fpr)},
          {"tpr", ToValue(at.tpr)},
          {"precision", ToValue(at.precision)}};
}

Json ToValue(const Figures& figures) {
  Json thresholds = Json::object();
  for (const AtThreshold& at : figures.thresholds) thresholds[at.name] = ToValue(at);
  const Decisions& decisions = figures.decisions;
  return {{"counts", {{"real", ToValue(figures.authentic)}, {"fake", ToValue(figures.manipulated)}}},
          {"auc", ToValue(figures.auc)},
          {"average_precision", ToValue(figures.average_precision)},
          {"eer", ToValue(figures.equal_error_rate)},
          {"tpr_at_fpr_1", ToValue(figures.tpr_at_fpr_1)},
          {"tpr_at_fpr_01", ToValue(figures.tpr_at_fpr_01)},
          {"log_loss", ToValue(figures.log_loss)},
          {"brier", ToValue(figures.brier)},
          {"ece", ToValue(figures.ece)},
          {"aurc", ToValue(figures.aurc)},
          {"thresholds", std::move(thresholds)},
          {"verdicts",
           {{"inconclusive", ToValue(decisions.inconclusive)},
            {"error", ToValue(decisions.error)},
            {"real_called_manipulated", ToValue(decisions.authentic_accused)},
            {"fake_called_manipulated", ToValue(decisions.manipulated_found)},
            {"fake_with_nothing_found", ToValue(decisions.manipulated_cleared)}}},
          {"no_face", ToValue(figures.no_face)}};
}

/// {"points": [[...], ...], "of": how many there were}
template <typename Point, typename Convert>
Json Curve(const std::vector<Point>& points, Convert convert) {
  Json list = Json::array();
  const std::size_t kept = std::min(points.size(), kMaxPoints);
  for (std::size_t i = 0; i < kept; ++i)
    list.push_back(convert(points[kept < 2 ? i : i * (points.size() - 1) / (kept - 1)]));
  return {{"points", std::move(list)}, {"of", points.size()}};
}

Json Histogram(const std::vector<HistogramBin>& bins) {
  Json list = Json::array();
  for (const HistogramBin& bin : bins)
    list.push_back({{"low", Number(bin.low)},
                    {"high", Number(bin.high)},
                    {"real", bin.authentic},
                    {"fake", bin.manipulated}});
  return list;
}

Json ToValue(const Curves& curves) {
  Json reliability = Json::array();
  for (const ReliabilityBin& bin : curves.reliability)
    reliability.push_back({{"low", Number(bin.low)},
                           {"high", Number(bin.high)},
                           {"count", bin.count},
                           {"mean_score", bin.count > 0 ? Number(bin.mean_score) : Json(nullptr)},
                           {"share_fake", bin.count > 0 ? Number(bin.share_manipulated) : Json(nullptr)}});
  Json roc = Curve(curves.roc, [](const RocPoint& point) {
    return Json({{"fpr", Number(point.fpr)}, {"tpr", Number(point.tpr)}, {"rank", Number(point.threshold)}});
  });
  Json det = Curve(curves.roc, [](const RocPoint& point) {
    return Json({{"fpr", Number(point.fpr)}, {"fnr", Number(1 - point.tpr)}});
  });
  Json risk = Curve(curves.risk_coverage, [](const RiskCoveragePoint& point) {
    return Json({{"coverage", Number(point.coverage)},
                 {"risk", Number(point.risk)},
                 {"confidence", Number(point.confidence)}});
  });
  return {{"roc", std::move(roc)},
          {"det", std::move(det)},
          {"reliability", std::move(reliability)},
          {"risk_coverage", std::move(risk)},
          {"scores", Histogram(curves.scores)},
          {"logits", Histogram(curves.logits)}};
}

Json ToValue(const Skips& skips) {
  Json list = Json::array();
  for (const Skips::Kind& kind : skips.kinds()) {
    Json examples = Json::array();
    for (const Skips::Example& example : kind.examples)
      examples.push_back({{"path", example.name}, {"detail", example.detail}});
    list.push_back({{"reason", kind.reason}, {"count", kind.count}, {"examples", std::move(examples)}});
  }
  return list;
}

Json ToValue(const RunFacts& run) {
  const auto text = [](const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); };
  Json value = {{"input", run.input},
                {"paths", run.paths},
                {"split", text(run.split)},
                {"list", text(run.list)},
                {"limit", run.limit > 0 ? Json(run.limit) : Json(nullptr)},
                {"crop_margin", run.crop_margin ? Number(*run.crop_margin) : Json(nullptr)}};
  value["options"] = run.input == "media"
                         ? Json({{"fps", Number(run.analysis.fps)}, {"max_frames", run.analysis.max_frames}})
                         : Json(nullptr);
  value["model"] = run.model ? Json({{"name", run.model->name},
                                     {"version", run.model->version},
                                     {"sha256", run.model->sha256},
                                     {"calibrated", run.model->calibrated}})
                             : Json(nullptr);
  value["thresholds"] = {{"manipulated", Number(run.thresholds.manipulated)},
                         {"clear", Number(run.thresholds.clear)}};
  value["software"] = {{"unmask", run.software.unmask}, {"openvino", text(run.software.openvino)}};
  value["bootstrap"] = {
      {"rounds", run.bootstrap_rounds}, {"seed", run.bootstrap_seed}, {"clusters", run.clusters}};
  value["speed"] = run.seconds > 0 ? Json({{"seconds", RoundTime(run.seconds)},
                                           {"files_per_second", RoundTime(run.files_per_second)},
                                           {"passes", run.passes}})
                                   : Json(nullptr);
  return value;
}

}  // namespace

std::string EvaluationJson(const Evaluation& evaluation) {
  Json value = {{"schema", "unmask.evaluation/1"}, {"run", ToValue(evaluation.run)}};
  value["figures"] = ToValue(evaluation.figures);
  Json groups = Json::array();
  for (const GroupFigures& group : evaluation.groups)
    groups.push_back({{"group", group.name},
                      {"counts", {{"real", ToValue(group.authentic)}, {"fake", ToValue(group.manipulated)}}},
                      {"auc", ToValue(group.auc)},
                      {"fpr_at_manipulated", ToValue(group.fpr)},
                      {"tpr_at_manipulated", ToValue(group.tpr)}});
  value["groups"] = std::move(groups);
  Json worst = Json::array();
  for (const WorstGroup& found : evaluation.worst)
    worst.push_back({{"figure", found.figure}, {"group", found.group}, {"value", Number(found.value)}});
  value["worst_groups"] = std::move(worst);
  Json degraded = Json::array();
  for (const DegradedFigures& pass : evaluation.degraded)
    degraded.push_back({{"name", pass.name},
                        {"description", pass.description},
                        {"auc_change", ToValue(pass.auc_change)},
                        {"flips", ToValue(pass.flips)},
                        {"opposite_flips", ToValue(pass.opposite_flips)},
                        {"figures", ToValue(pass.figures)}});
  value["degraded"] = std::move(degraded);
  value["skipped"] = ToValue(evaluation.skipped);
  value["left_out"] = ToValue(evaluation.left_out);
  value["notes"] = evaluation.notes;
  value["curves"] = ToValue(evaluation.curves);
  return PrintJson(value, 1) + "\n";
}

}  // namespace unmask
