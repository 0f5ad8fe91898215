// SPDX-License-Identifier: Apache-2.0
#include "evaluation/ensemble/card_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "model/ensemble.hpp"
#include "render/json_value.hpp"
#include "render/round.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

double Four(double value) { return RoundTo(value, 1e4); }

Json ToValue(const Estimate& estimate) {
  if (!estimate.value) return {{"value", nullptr}, {"reason", estimate.value.error()}};
  Json value = {{"value", Four(*estimate.value)}, {"interval", nullptr}};
  if (estimate.interval) value["interval"] = {Four(estimate.interval->low), Four(estimate.interval->high)};
  return value;
}

Json ToValue(const Calibration& calibration) {
  if (!calibration.fitted) return nullptr;
  return {{"method", "platt"}, {"slope", calibration.slope}, {"intercept", calibration.intercept}};
}

Json ToValue(const Thresholds& at, double miss_at_clear) {
  return {{"manipulated", {{"score", at.manipulated}, {"fpr", at.fpr_at_manipulated}}},
          {"clear", {{"score", at.clear}, {"fpr", Four(at.fpr_at_clear)}, {"miss", Four(miss_at_clear)}}}};
}

Json ToValue(const TrackRates& rates) {
  return {{"fpr", Four(rates.fpr)}, {"tpr", Four(rates.tpr)}, {"miss", Four(rates.miss)}};
}

Json ToValue(const CandidateFigures& candidate) {
  const Figures& figures = candidate.figures;
  const Decisions& decisions = figures.decisions;
  return {{"auc", ToValue(figures.auc)},
          {"auc_change", ToValue(candidate.auc_change)},
          {"average_precision", ToValue(figures.average_precision)},
          {"eer", ToValue(figures.equal_error_rate)},
          {"tpr_at_fpr_1", ToValue(figures.tpr_at_fpr_1)},
          {"log_loss", ToValue(figures.log_loss)},
          {"ece", ToValue(figures.ece)},
          {"verdicts",
           {{"inconclusive", ToValue(decisions.inconclusive)},
            {"real_called_manipulated", ToValue(decisions.authentic_accused)},
            {"fake_called_manipulated", ToValue(decisions.manipulated_found)},
            {"fake_with_nothing_found", ToValue(decisions.manipulated_cleared)}}}};
}

Json QualityOf(const EnsembleFigures& figures) {
  Json candidates = Json::object();
  for (const CandidateFigures& candidate : figures.candidates)
    candidates[candidate.name] = ToValue(candidate);
  Json tracks = Json::array();
  for (const TrackComparison& row : figures.tracks)
    tracks.push_back({{"faces", row.own.faces},
                      {"own", ToValue(row.with_own)},
                      {"of_one_face", ToValue(row.with_one_face)}});
  return {{"real", figures.authentic},
          {"fake", figures.manipulated},
          {"clusters", figures.clusters},
          {"folds", kFolds},
          {"chosen", figures.chosen},
          {"best_member", figures.best_member},
          {"candidates", std::move(candidates)},
          {"tracks", {{"simulated", true}, {"faces", figures.track_faces}, {"points", std::move(tracks)}}}};
}

std::string Percent(double value) { return fmt::format("{:.1f} %", 100 * value); }

std::string Shown(const Estimate& estimate, bool share) {
  if (!estimate.value) return "-";
  const auto number = [&](double value) {
    return share ? fmt::format("{:.1f}", 100 * value) : fmt::format("{:.4f}", value);
  };
  std::string text = number(*estimate.value) + (share ? " %" : "");
  if (estimate.interval)
    text += fmt::format(" ({} to {})", number(estimate.interval->low), number(estimate.interval->high));
  return text;
}

using Rows = std::vector<std::vector<std::string>>;

std::string Markdown(const Rows& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("| {} |\n", fmt::join(rows[i], " | "));
    if (i == 0)
      text += fmt::format("|{}\n", fmt::join(std::vector<std::string>(rows[0].size(), " --- |"), ""));
  }
  return text;
}

std::string Columns(const Rows& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      text += i + 1 == row.size() ? row[i] : fmt::format("{:<{}}  ", row[i], widths[i]);
    text += '\n';
  }
  return text;
}

std::string CombinationInWords(const ModelCard& card) {
  const Combination& combination = card.ensemble->combination;
  if (!combination.fitted) return "the mean of the members' logits";
  std::string text;
  for (std::size_t i = 0; i < card.members.size(); ++i)
    text += fmt::format("{}{:.4f} x {}:{}", i == 0 ? "" : " + ", combination.weights[i], card.members[i].name,
                        card.members[i].version);
  return fmt::format("{} {} {:.4f}", text, combination.bias < 0 ? "-" : "+", std::abs(combination.bias));
}

std::string MembersSection(const ModelCard& card) {
  Rows rows = {{"member", "what it is", "sha256 of its weights"}};
  for (const ModelCard& member : card.members)
    rows.push_back({fmt::format("{}:{}", member.name, member.version), member.description,
                    member.sha256.empty() ? "it runs elsewhere" : member.sha256});
  return fmt::format(
      "## Members\n\n{}\nEach face is judged by every member, in its own crop, size and colours. The "
      "ensemble's "
      "logit is {}. When one member fails the analysis fails. Heat maps are the mean, by these weights, of "
      "those that members draw.\n\n",
      Markdown(rows), CombinationInWords(card));
}

std::string FiguresSection(const ModelCard& card, const EnsembleFigures& figures, const std::string& date) {
  std::string text = fmt::format(
      "## Figures\n\nMeasured on {} by `unmask model ensemble --fit` (unmask {}) on {} real and {} fake "
      "faces "
      "of {} origins. Weights, calibration and thresholds of each row are cross-fitted in {} folds by "
      "origin: no "
      "face is scored or judged by a fit that saw it or one of its origin. A member's row has its own logit, "
      "calibrated anew on these data. Intervals are 95 %: of shares of files Wilson's, of other figures a "
      "bootstrap over origins. docs/evaluation.md defines every figure.\n\n{}\n",
      date, Version(), figures.authentic, figures.manipulated, figures.clusters, kFolds,
      CandidatesTable(figures, true));
  text += fmt::format(
      "Changes of the AUC are against {}, the better member here, drawn in pairs. The card states `{}`.\n\n",
      figures.best_member, figures.chosen);
  const Thresholds& at = card.thresholds;
  text += fmt::format(
      "## Calibration and thresholds\n\nFitted on all of these faces: score = sigmoid({:.6f} x logit {} "
      "{:.6f}). "
      "`manipulated` from {:.4f} on, the lowest score that at most {} of the real faces reach; nothing found "
      "below {:.4f}, the highest below which at most {} of the fakes lie ({} of the real faces lie "
      "above).\n\n",
      card.calibration.slope, card.calibration.intercept < 0 ? "-" : "+",
      std::abs(card.calibration.intercept), at.manipulated, Percent(kFprAtManipulated), at.clear,
      Percent(kMissAtClear), Percent(at.fpr_at_clear));
  Rows rows = {{"faces", "fpr, own", "found, own", "cleared fakes, own", "fpr, of one face",
                "found, of one face", "cleared fakes, of one face"}};
  for (const TrackComparison& row : figures.tracks) {
    rows.push_back({std::to_string(row.own.faces)});
    for (const TrackRates* rates : {&row.with_own, &row.with_one_face})
      for (const double rate : {rates->fpr, rates->tpr, rates->miss}) rows.back().push_back(Percent(rate));
  }
  text += fmt::format(
      "### Tracks of several faces\n\nA track of n faces is **simulated** by n looks at one picture ({} of "
      "the "
      "faces): resolution, blur and JPEG drawn once, the box's place and size, light and grain for each "
      "look, "
      "joined by the product's own rule. In a real video pose and expression change too, so these figures "
      "err "
      "towards caution.\n\n{}\n{}\n\n",
      figures.track_faces, Markdown(rows),
      figures.own_track_points ? "So tracks have calibration and thresholds of their own."
                               : "The difference is small, so tracks keep the thresholds of one face.");
  return text;
}

}  // namespace

std::string CandidatesTable(const EnsembleFigures& figures, bool markdown) {
  Rows rows = {{"", "AUC", "change of the AUC", "found at 1 % false alarms", "ECE", "real called manipulated",
                "fake called manipulated", "fake cleared"}};
  for (const CandidateFigures& candidate : figures.candidates) {
    const Figures& found = candidate.figures;
    rows.push_back({candidate.name, Shown(found.auc, false), Shown(candidate.auc_change, false),
                    Shown(found.tpr_at_fpr_1, true), Shown(found.ece, false),
                    Shown(found.decisions.authentic_accused, true),
                    Shown(found.decisions.manipulated_found, true),
                    Shown(found.decisions.manipulated_cleared, true)});
  }
  return markdown ? Markdown(rows) : Columns(rows);
}

std::string EnsembleJson(const ModelCard& card, const EnsembleFigures* figures,
                         const std::map<std::string, std::string>& files, const std::string& date) {
  Json ensemble = ToJsonValue(*card.ensemble);
  ensemble["files"] = files;
  Json json = {{"schema", "unmask.model/1"},      {"name", card.name},
               {"version", card.version},         {"task", "face-manipulation"},
               {"description", card.description}, {"created", date},
               {"ensemble", std::move(ensemble)}, {"calibration", ToValue(card.calibration)}};
  if (figures != nullptr)
    json["thresholds"] = ToValue(card.thresholds, figures->fit.miss_at_clear);
  else  // no score says anything yet
    json["thresholds"] = {{"manipulated", {{"score", 1.0}, {"fpr", 0.0}}},
                          {"clear", {{"score", 0.0}, {"fpr", 1.0}}}};
  if (!card.tracks.empty() && figures != nullptr) {
    json["tracks"] = Json::array();
    for (const TrackComparison& row : figures->tracks)
      json["tracks"].push_back({{"faces", row.own.faces},
                                {"calibration", ToValue(row.own.calibration)},
                                {"thresholds", ToValue(row.own.thresholds, row.miss_at_clear)}});
  }
  json["limits"] = Json::array();
  for (const ModelLimit& limit : card.limits)
    json["limits"].push_back(limit.when.empty() ? Json(limit.text)
                                                : Json{{"text", limit.text}, {"when", limit.when}});
  if (figures != nullptr) json["quality"] = QualityOf(*figures);
  return PrintJson(json, 2) + "\n";
}

std::string EnsembleCard(const ModelCard& card, const EnsembleFigures* figures, const std::string& date) {
  std::string text =
      fmt::format("# {} {}\n\n{}\n\n{}", card.name, card.version, card.description, MembersSection(card));
  if (figures != nullptr)
    text += FiguresSection(card, *figures, date);
  else
    text +=
        "## Figures\n\nNothing was fitted: nobody has measured here what its scores are worth, and every "
        "verdict is inconclusive (`not_calibrated`). Make it again with `--fit` on labelled faces.\n\n";
  text += "## Limits\n\nThose of its members. A report quotes those that touch it.\n\n";
  for (const ModelLimit& limit : card.limits) text += fmt::format("- {}\n", limit.text);
  text += "\nLicences and terms of the data are those of the members: see their cards.\n";
  return text;
}

}  // namespace unmask
