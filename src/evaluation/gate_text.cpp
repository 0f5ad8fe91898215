// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "evaluation/gate.hpp"
#include "render/json_value.hpp"
#include "render/round.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

Json Number(const std::optional<double>& value) { return value ? Json(RoundScore(*value)) : Json(nullptr); }

Json VersionJson(const ModelCard& card) {
  return {{"name", card.name}, {"version", card.version}, {"sha256", card.sha256}};
}

Json FigureJson(const GateFigure& figure) {
  Json json = {{"name", figure.name},
               {"candidate", Number(figure.candidate)},
               {"stable", Number(figure.stable)},
               {"change", Number(figure.change)},
               {"interval", nullptr},
               {"better", figure.higher_is_better ? "higher" : "lower"},
               {"worse", figure.worse},
               {"reason", figure.reason.empty() ? Json(nullptr) : Json(figure.reason)}};
  if (figure.interval)
    json["interval"] = {RoundScore(figure.interval->low), RoundScore(figure.interval->high)};
  return json;
}

std::string Cell(const std::optional<double>& value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string Word(const GateFigure& figure) {
  if (!figure.interval) return "not measured: " + figure.reason;
  if (figure.worse) return "WORSE";
  if (figure.lost) return "worse by no more than is tolerated";
  const bool better = figure.higher_is_better ? figure.interval->low > 0 : figure.interval->high < 0;
  return better ? "better" : "no difference that is more than chance";
}

}  // namespace

std::string GateToJson(const GateReport& report, int indent) {
  Json json = {{"schema", "unmask.gate/1"},
               {"passed", report.passed()},
               {"candidate", VersionJson(report.candidate)},
               {"stable", VersionJson(report.stable)},
               {"files", {{"real", report.real}, {"fake", report.fake}, {"clusters", report.clusters}}},
               {"bootstrap", {{"rounds", report.options.bootstrap_rounds}, {"seed", report.options.seed}}},
               {"tolerance", report.options.tolerance},
               {"figures", Json::array()},
               {"refusals", report.refusals},
               {"skipped", Json::array()}};
  for (const GateFigure& figure : report.figures) json["figures"].push_back(FigureJson(figure));
  for (const Skips::Kind& kind : report.skipped.kinds())
    json["skipped"].push_back({{"reason", kind.reason}, {"count", kind.count}});
  return PrintJson(json, indent);
}

std::string GateToText(const GateReport& report) {
  const auto name = [](const ModelCard& card) {
    return EscapeForTerminal(fmt::format("{}:{}", card.name, card.version));
  };
  std::string text = fmt::format(
      "{} against {} on {} real and {} fake files, paired bootstrap of {} rounds over {} clusters\n",
      name(report.candidate), name(report.stable), report.real, report.fake, report.options.bootstrap_rounds,
      report.clusters);
  text += fmt::format("{:<18} {:>9} {:>9} {:>9}   {:<20}\n", "figure", "new", "stable", "change",
                      "95 % of the change");
  for (const GateFigure& figure : report.figures) {
    const std::string interval =
        figure.interval ? fmt::format("{:+.4f} to {:+.4f}", figure.interval->low, figure.interval->high)
                        : "-";
    text += fmt::format("{:<18} {:>9} {:>9} {:>9}   {:<20} {}\n", figure.name,
                        Cell(figure.candidate, "{:.4f}"), Cell(figure.stable, "{:.4f}"),
                        Cell(figure.change, "{:+.4f}"), interval, EscapeForTerminal(Word(figure)));
  }
  for (const Skips::Kind& kind : report.skipped.kinds())
    text += fmt::format("{} files were skipped: {}\n", kind.count, kind.reason);
  for (const std::string& refusal : report.refusals)
    text += fmt::format("refused: {}\n", EscapeForTerminal(refusal));
  if (report.passed()) text += "passed\n";
  return text;
}

}  // namespace unmask
