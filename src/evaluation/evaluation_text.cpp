// SPDX-License-Identifier: Apache-2.0
#include "evaluation/evaluation_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "render/text.hpp"

namespace unmask {
namespace {

constexpr std::size_t kGroupsShown = 12;

std::string Line(const std::string& name, const std::string& value) {
  return fmt::format("  {:<32} {}\n", name, value);
}

std::string Counts(const char* name, const ClassCounts& counts) {
  return fmt::format("  {:<6} {:>7} {:>12} {:>14} {:>13} {:>9} {:>8}\n", name, counts.files,
                     counts.manipulated, counts.no_manipulation_found, counts.inconclusive, counts.no_face,
                     counts.failed);
}

std::string Tally(const char* title, const Skips& skips) {
  if (skips.empty()) return {};
  std::string text = fmt::format("\n{}: {}\n", title, skips.total());
  for (const Skips::Kind& kind : skips.kinds()) {
    const Skips::Example& example = kind.examples.front();
    text +=
        fmt::format("  {:<20} {:>7}  e.g. {}{}{}\n", kind.reason, kind.count, EscapeForTerminal(example.name),
                    example.detail.empty() ? "" : ": ", EscapeForTerminal(example.detail));
  }
  return text;
}

std::string FiguresText(const Figures& figures) {
  std::string text = "\nHow well the scores tell the classes apart (95 % intervals)\n";
  text += Line("AUC", FormatEstimate(figures.auc));
  text += Line("average precision", FormatEstimate(figures.average_precision));
  text += Line("equal error rate", FormatPercent(figures.equal_error_rate));
  text += Line("found at 1 % false alarms", FormatPercent(figures.tpr_at_fpr_1));
  text += Line("found at 0.1 % false alarms", FormatPercent(figures.tpr_at_fpr_01));
  text += "\nWhether the scores are probabilities\n";
  text += Line("log loss", FormatEstimate(figures.log_loss));
  text += Line("Brier score", FormatEstimate(figures.brier));
  text += Line("calibration error (ECE)", FormatEstimate(figures.ece));
  text += "\nWhat the thresholds do to the files with a score\n";
  for (const AtThreshold& at : figures.thresholds) {
    const ConfusionMatrix& m = at.matrix;
    text += fmt::format("  {:<12} {:.4f}: fake {} found, {} missed ({}); real {} accused, {} not ({})\n",
                        at.name, at.threshold, m.true_positives, m.false_negatives, FormatPercent(at.tpr),
                        m.false_positives, m.true_negatives, FormatPercent(at.fpr));
    if (at.by_another > 0)
      text += fmt::format("  {:<12} {} of them by the thresholds of tracks of several faces\n", "",
                          at.by_another);
  }
  const Decisions& decisions = figures.decisions;
  text += "\nWhat the verdicts come to\n";
  text += Line("inconclusive", FormatPercent(decisions.inconclusive));
  text += Line("wrong among the answers", FormatPercent(decisions.error));
  text += Line("real called manipulated", FormatPercent(decisions.authentic_accused));
  text += Line("fake called manipulated", FormatPercent(decisions.manipulated_found));
  text += Line("fake with nothing found", FormatPercent(decisions.manipulated_cleared));
  text += Line("no face", FormatPercent(figures.no_face));
  return text;
}

std::string GroupsText(const Evaluation& evaluation) {
  if (evaluation.groups.empty()) return {};
  std::string text = fmt::format("\n{:<34} {:>6} {:>6}  {:<26} {}\n", "Group (worst AUC first)", "real",
                                 "fake", "AUC", "real called manipulated");
  for (std::size_t i = 0; i < std::min(kGroupsShown, evaluation.groups.size()); ++i) {
    const GroupFigures& group = evaluation.groups[i];
    text += fmt::format("  {:<32} {:>6} {:>6}  {:<26} {}\n",
                        Shorten(EscapeForTerminal(group.name.empty() ? "(none)" : group.name), 32),
                        group.authentic.files, group.manipulated.files,
                        group.auc.value ? FormatEstimate(group.auc, 3) : "–",
                        group.fpr.value ? FormatPercent(group.fpr) : "–");
  }
  if (evaluation.groups.size() > kGroupsShown)
    text += fmt::format("  and {} more: see --json\n", evaluation.groups.size() - kGroupsShown);
  for (const WorstGroup& worst : evaluation.worst)
    text +=
        fmt::format("  worst {}: {:.4f} in {}\n", worst.figure, worst.value, EscapeForTerminal(worst.group));
  return text;
}

std::string DegradedText(const Evaluation& evaluation) {
  if (evaluation.degraded.empty()) return {};
  std::string text = fmt::format("\n{:<24} {:<26} {:<27} {:<22} {}\n", "Degraded", "AUC", "change",
                                 "verdicts flipped", "opposite");
  text += fmt::format("  {:<22} {}\n", "clean", FormatEstimate(evaluation.figures.auc));
  for (const DegradedFigures& degraded : evaluation.degraded)
    text += fmt::format(
        "  {:<22} {:<26} {:<27} {:<22} {}\n", EscapeForTerminal(degraded.name),
        FormatEstimate(degraded.figures.auc), FormatEstimate(degraded.auc_change),
        FormatPercent(degraded.flips),
        degraded.opposite_flips.value ? fmt::format("{:.1f} %", *degraded.opposite_flips.value * 100) : "–");
  return text;
}

}  // namespace

std::string FormatEstimate(const Estimate& estimate, int decimals) {
  if (!estimate.value) return fmt::format("– ({})", estimate.value.error());
  std::string text = fmt::format("{:.{}f}", *estimate.value, decimals);
  if (estimate.interval)
    text += fmt::format(" ({:.{}f} – {:.{}f})", estimate.interval->low, decimals, estimate.interval->high,
                        decimals);
  return text;
}

std::string FormatPercent(const Estimate& estimate, int decimals) {
  if (!estimate.value) return fmt::format("– ({})", estimate.value.error());
  std::string text = fmt::format("{:.{}f} %", *estimate.value * 100, decimals);
  if (estimate.interval)
    text += fmt::format(" ({:.{}f} – {:.{}f})", estimate.interval->low * 100, decimals,
                        estimate.interval->high * 100, decimals);
  return text;
}

std::string EvaluationText(const Evaluation& evaluation) {
  const RunFacts& run = evaluation.run;
  std::string text;
  if (run.model)
    text += fmt::format("Model {}:{}, unmask {}, input {}\n", EscapeForTerminal(run.model->name),
                        run.model->version, EscapeForTerminal(run.software.unmask), run.input);
  for (const std::string& note : evaluation.notes) text += fmt::format("note: {}\n", EscapeForTerminal(note));
  text += fmt::format("\n  {:<6} {:>7} {:>12} {:>14} {:>13} {:>9} {:>8}\n", "label", "files", "manipulated",
                      "nothing found", "inconclusive", "no face", "failed");
  text += Counts("real", evaluation.figures.authentic);
  text += Counts("fake", evaluation.figures.manipulated);
  text += FiguresText(evaluation.figures);
  text += GroupsText(evaluation);
  text += DegradedText(evaluation);
  text += Tally("Skipped", evaluation.skipped);
  text += Tally("Left out", evaluation.left_out);
  if (run.files_per_second > 0)
    text += fmt::format("\n{:.1f} files a second ({:.1f} s{})\n", run.files_per_second, run.seconds,
                        run.passes > 1 ? fmt::format(", each file measured {} times", run.passes) : "");
  return text;
}

}  // namespace unmask
