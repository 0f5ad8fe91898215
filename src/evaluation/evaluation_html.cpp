// SPDX-License-Identifier: Apache-2.0
#include "evaluation/evaluation_html.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/hash.hpp"
#include "evaluation/evaluation_plots.hpp"
#include "evaluation/evaluation_style.hpp"
#include "evaluation/evaluation_text.hpp"
#include "render/html_style.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

constexpr std::size_t kGroupRows = 200;

std::string Style() { return fmt::format("{}{}", kHtmlStyle, kEvaluationStyle); }

std::string Policy() {
  Sha256 hash;
  hash.Update(Style());
  return fmt::format("default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
                     Base64(BytesOfHex(hash.Finish())));
}

/// "0.935" and its interval, or a dash and the reason.
struct Words {
  std::string value;
  std::string within;
};

Words Say(const Estimate& estimate, bool percent) {
  if (!estimate.value) return {"–", estimate.value.error()};
  const double factor = percent ? 100 : 1;
  const int decimals = percent ? 1 : 4;
  Words words{fmt::format("{:.{}f}{}", *estimate.value * factor, decimals, percent ? " %" : ""), ""};
  if (estimate.interval)
    words.within = fmt::format("{:.{}f} – {:.{}f}", estimate.interval->low * factor, decimals,
                               estimate.interval->high * factor, decimals);
  return words;
}

std::string Card(const char* title, const Estimate& estimate, bool percent) {
  const Words words = Say(estimate, percent);
  const std::string within = estimate.interval ? "95 %: " + words.within : words.within;
  return fmt::format("<li><span>{}</span><strong>{}</strong><span>{}</span></li>\n", title, words.value,
                     EscapeForHtml(within));
}

std::string FigureRow(const char* title, const Estimate& estimate, bool percent, const char* meaning) {
  const Words words = Say(estimate, percent);
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"within\">{}</td><td "
      "class=\"says\">{}</td></tr>\n",
      title, words.value, EscapeForHtml(words.within), meaning);
}

std::string Cell(const Estimate& estimate, bool percent) {
  const Words words = Say(estimate, percent);
  return fmt::format("<td class=\"num\">{}</td><td class=\"within\">{}</td>", words.value,
                     EscapeForHtml(words.within));
}

constexpr auto kFigureHead =
    "<tr><th scope=\"col\">Figure</th><th scope=\"col\" class=\"num\">Value</th><th scope=\"col\">95 % "
    "interval</th>"
    "<th scope=\"col\">What it says</th></tr>\n";

std::string Overview(const Evaluation& evaluation) {
  const Figures& figures = evaluation.figures;
  std::string html = "<ul class=\"cards\">\n";
  html += Card("AUC", figures.auc, false);
  html += Card("fakes found at 1 % false alarms", figures.tpr_at_fpr_1, true);
  html += Card("reals called manipulated", figures.decisions.authentic_accused, true);
  html += Card("inconclusive", figures.decisions.inconclusive, true);
  html += Card("calibration error (ECE)", figures.ece, false);
  html += "</ul>\n";
  for (const std::string& note : evaluation.notes)
    html += fmt::format("<p class=\"note\">{}</p>\n", EscapeForHtml(note));

  html +=
      "<div class=\"wide\"><table>\n<caption>Files and their verdicts</caption>\n"
      "<tr><th scope=\"col\">Label</th><th scope=\"col\" class=\"num\">files</th><th scope=\"col\" "
      "class=\"num\">"
      "manipulated</th><th scope=\"col\" class=\"num\">no manipulation found</th><th scope=\"col\" "
      "class=\"num\">inconclusive</th><th scope=\"col\" class=\"num\">of these no face</th><th scope=\"col\" "
      "class=\"num\">not analysed</th></tr>\n";
  for (const auto& [name, counts] :
       {std::pair("real", &figures.authentic), std::pair("fake", &figures.manipulated)})
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td "
        "class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td "
        "class=\"num\">{}</td></tr>\n",
        name, counts->files, counts->manipulated, counts->no_manipulation_found, counts->inconclusive,
        counts->no_face, counts->failed);
  return html + "</table></div>\n";
}

std::string Discrimination(const Evaluation& evaluation) {
  const Figures& figures = evaluation.figures;
  std::string html =
      "<section>\n<h2>Telling real from fake</h2>\n<p>These figures depend on the order of the scores alone, "
      "not on any threshold. Files without a score (no face) are not in them.</p>\n";
  html += "<div class=\"wide\"><table>\n";
  html += kFigureHead;
  html += FigureRow("AUC", figures.auc, false,
                    "Chance that a fake scores higher than a real file; 0.5 is guessing.");
  html += FigureRow("Average precision", figures.average_precision, false,
                    "Mean precision as ever more files are called; depends on the share of fakes here.");
  html += FigureRow("Equal error rate", figures.equal_error_rate, true,
                    "Where as many fakes are missed as reals are accused.");
  html += FigureRow("Found at 1 % FPR", figures.tpr_at_fpr_1, true,
                    "Fakes found when at most 1 of 100 real files is accused.");
  html += FigureRow("Found at 0.1 % FPR", figures.tpr_at_fpr_01, true,
                    "Fakes found when at most 1 of 1,000 real files is accused; rough below 1,000 reals.");
  html += "</table></div>\n<div class=\"plots\">\n" + RocPlot(evaluation) + DetPlot(evaluation) + "</div>\n";
  return html + "</section>\n";
}

std::string Probabilities(const Evaluation& evaluation) {
  const Figures& figures = evaluation.figures;
  std::string html = "<section>\n<h2>What a score means</h2>\n<div class=\"wide\"><table>\n";
  html += kFigureHead;
  html += FigureRow("Log loss", figures.log_loss, false,
                    "Mean surprise, in nats; 0.693 is what always saying 0.5 costs.");
  html += FigureRow("Brier score", figures.brier, false,
                    "Mean squared error of the probability; 0.25 is what always saying 0.5 costs.");
  html += FigureRow("Calibration error (ECE)", figures.ece, false,
                    "Mean gap between score and share of fakes over ten bins.");
  html += "</table></div>\n<div class=\"plots\">\n" + ReliabilityPlot(evaluation) + ScorePlot(evaluation) +
          LogitPlot(evaluation) + "</div>\n";
  return html + "</section>\n";
}

std::string Matrix(const AtThreshold& at) {
  const ConfusionMatrix& m = at.matrix;
  return fmt::format(
      "<div class=\"wide\"><table>\n<caption>Threshold “{}”: score {:.4g} or more{}</caption>\n"
      "<tr><th></th><th scope=\"col\" class=\"num\">at or above</th><th scope=\"col\" "
      "class=\"num\">below</th><th scope=\"col\" class=\"num\">share at or above</th><th scope=\"col\">95 "
      "%</th>"
      "</tr>\n"
      "<tr><th scope=\"row\">real</th><td class=\"num\">{}</td><td class=\"num\">{}</td>{}</tr>\n"
      "<tr><th scope=\"row\">fake</th><td class=\"num\">{}</td><td class=\"num\">{}</td>{}</tr>\n"
      "</table></div>\n",
      EscapeForHtml(at.name), at.threshold,
      at.by_another > 0 ? fmt::format("; of {} files, tracks of several faces, their own", at.by_another)
                        : "",
      m.false_positives, m.true_negatives, Cell(at.fpr, true), m.true_positives, m.false_negatives,
      Cell(at.tpr, true));
}

std::string VerdictSection(const Evaluation& evaluation) {
  const Figures& figures = evaluation.figures;
  const Decisions& decisions = figures.decisions;
  std::string html =
      "<section>\n<h2>The verdicts</h2>\n<p>From the upper threshold on a file is called manipulated, below "
      "the lower one nothing was found; between them, and when faces are missing or too poor, the answer is "
      "“inconclusive”.</p>\n<div class=\"wide\"><table>\n";
  html += kFigureHead;
  html += FigureRow("Real called manipulated", decisions.authentic_accused, true,
                    "False accusations, of all analysed real files.");
  html += FigureRow("Fake called manipulated", decisions.manipulated_found, true, "Of all analysed fakes.");
  html += FigureRow("Fake with nothing found", decisions.manipulated_cleared, true,
                    "Fakes that pass, of all analysed fakes.");
  html += FigureRow("Inconclusive", decisions.inconclusive, true, "Of all analysed files.");
  html += FigureRow("Wrong among the answers", decisions.error, true,
                    "Of the files that got an answer; depends on the share of fakes here.");
  html += FigureRow("No face", figures.no_face, true, "Of all analysed files.");
  html += FigureRow("Area under risk-coverage", figures.aurc, false,
                    "Mean share of wrong answers over all ways to answer only the surest files.");
  html += "</table></div>\n<div class=\"plots\">\n<div>\n";
  for (const AtThreshold& at : figures.thresholds) html += Matrix(at);
  return html + "</div>\n" + RiskCoveragePlot(evaluation) + "</div>\n</section>\n";
}

std::string DegradedSection(const Evaluation& evaluation) {
  if (evaluation.degraded.empty()) return {};
  std::string html =
      "<section>\n<h2>After compression and other damage</h2>\n<p>The same files, decoded and degraded, then "
      "measured again. A verdict flips when it is not the one of the undamaged file.</p>\n<div "
      "class=\"plots\">\n";
  html += DegradedAucPlot(evaluation) + FlipPlot(evaluation) + "</div>\n<div class=\"wide\"><table>\n";
  html +=
      "<tr><th scope=\"col\">Degradation</th><th scope=\"col\" class=\"num\">AUC</th><th scope=\"col\">95 "
      "%</th>"
      "<th scope=\"col\" class=\"num\">change</th><th scope=\"col\">95 %</th><th scope=\"col\" "
      "class=\"num\">flipped</th><th scope=\"col\">95 %</th><th scope=\"col\" class=\"num\">opposite</th><th "
      "scope=\"col\" class=\"num\">found at 1 % FPR</th><th scope=\"col\" class=\"num\">reals "
      "accused</th></tr>\n";
  html += fmt::format(
      "<tr><th scope=\"row\">clean</th>{}<td></td><td></td><td></td><td></td><td></td><td "
      "class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
      Cell(evaluation.figures.auc, false), Say(evaluation.figures.tpr_at_fpr_1, true).value,
      Say(evaluation.figures.decisions.authentic_accused, true).value);
  for (const DegradedFigures& pass : evaluation.degraded)
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th>{}{}{}<td class=\"num\">{}</td><td class=\"num\">{}</td><td "
        "class=\"num\">{}</td></tr>\n",
        EscapeForHtml(pass.description.empty() ? pass.name : pass.description), Cell(pass.figures.auc, false),
        Cell(pass.auc_change, false), Cell(pass.flips, true), Say(pass.opposite_flips, true).value,
        Say(pass.figures.tpr_at_fpr_1, true).value,
        Say(pass.figures.decisions.authentic_accused, true).value);
  return html + "</table></div>\n</section>\n";
}

std::string GroupSection(const Evaluation& evaluation) {
  if (evaluation.groups.empty()) return {};
  std::string html = "<section>\n<h2>By group</h2>\n";
  if (!evaluation.worst.empty()) {
    html += "<p>At its worst, among groups with enough files:</p>\n<ul>\n";
    for (const WorstGroup& worst : evaluation.worst) {
      const std::string value = worst.figure == "auc" ? fmt::format("{:.4f}", worst.value)
                                                      : fmt::format("{:.1f} %", worst.value * 100);
      const char* title = worst.figure == "auc"                  ? "AUC"
                          : worst.figure == "fpr_at_manipulated" ? "reals at or above the upper threshold"
                                                                 : "fakes at or above the upper threshold";
      html += fmt::format("<li>{}: <strong>{}</strong> in {}</li>\n", title, value,
                          EscapeForHtml(worst.group.empty() ? "(none)" : worst.group));
    }
    html += "</ul>\n";
  }
  html += GroupPlot(evaluation);
  html +=
      "<div class=\"wide\"><table>\n<tr><th scope=\"col\">Group</th><th scope=\"col\" "
      "class=\"num\">real</th><th "
      "scope=\"col\" class=\"num\">fake</th><th scope=\"col\" class=\"num\">AUC</th><th scope=\"col\">95 "
      "%</th><th "
      "scope=\"col\" class=\"num\">reals accused</th><th scope=\"col\">95 %</th><th scope=\"col\" "
      "class=\"num\">fakes found</th><th scope=\"col\">95 %</th></tr>\n";
  for (std::size_t i = 0; i < std::min(kGroupRows, evaluation.groups.size()); ++i) {
    const GroupFigures& group = evaluation.groups[i];
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"num\">{}</td>{}{}{}</tr>\n",
        EscapeForHtml(group.name.empty() ? "(none)" : group.name), group.authentic.files,
        group.manipulated.files, Cell(group.auc, false), Cell(group.fpr, true), Cell(group.tpr, true));
  }
  html += "</table></div>\n";
  if (evaluation.groups.size() > kGroupRows)
    html += fmt::format("<p class=\"soft\">and {} more groups in the JSON.</p>\n",
                        evaluation.groups.size() - kGroupRows);
  return html + "</section>\n";
}

std::string SkipTable(const char* caption, const Skips& skips) {
  if (skips.empty()) return {};
  std::string html = fmt::format(
      "<div class=\"wide\"><table>\n<caption>{}</caption>\n<tr><th scope=\"col\">Reason</th><th "
      "scope=\"col\" "
      "class=\"num\">files</th><th scope=\"col\">Examples</th></tr>\n",
      caption);
  for (const Skips::Kind& kind : skips.kinds()) {
    std::string examples;
    for (const Skips::Example& example : kind.examples)
      examples += fmt::format("{}{}{}{}", examples.empty() ? "" : "<br>", EscapeForHtml(example.name),
                              example.detail.empty() ? "" : ": ", EscapeForHtml(example.detail));
    html += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td>{}</td></tr>\n",
                        EscapeForHtml(kind.reason), kind.count, examples);
  }
  return html + "</table></div>\n";
}

std::string SkipSection(const Evaluation& evaluation) {
  if (evaluation.skipped.empty() && evaluation.left_out.empty()) return {};
  return "<section>\n<h2>What is not in the figures</h2>\n" +
         SkipTable("Could not be evaluated", evaluation.skipped) +
         SkipTable("Left out on purpose", evaluation.left_out) + "</section>\n";
}

std::string Fact(const char* name, const std::string& value, bool hash = false) {
  if (value.empty()) return {};
  return fmt::format("<tr><th scope=\"row\">{}</th><td{}>{}</td></tr>\n", name, hash ? " class=\"hash\"" : "",
                     EscapeForHtml(value));
}

std::string InputWords(const RunFacts& run) {
  if (run.input == "media")
    return fmt::format("whole pictures and videos, {:.4g} frames a second, at most {}", run.analysis.fps,
                       run.analysis.max_frames);
  if (run.input == "scores") return "scores that a detector gave";
  return run.crop_margin ? fmt::format("faces already cut out, {:.3g} of the box beyond it on each side",
                                       *run.crop_margin)
                         : "faces already cut out, taken whole";
}

std::string Method(const Evaluation& evaluation) {
  const RunFacts& run = evaluation.run;
  std::string html = "<section>\n<h2>How this was measured</h2>\n<table>\n";
  html += Fact("Data", fmt::format("{}", fmt::join(run.paths, ", ")));
  html += Fact("Split", run.split);
  html += Fact("List", run.list);
  html += Fact("Input", InputWords(run));
  if (run.model)
    html += Fact("Model", fmt::format("{}:{}{}", run.model->name, run.model->version,
                                      run.model->calibrated ? "" : ", not calibrated"));
  if (run.model) html += Fact("Model SHA-256", run.model->sha256, true);
  html += Fact("Thresholds", fmt::format("manipulated from {:.4g} on, nothing found below {:.4g}",
                                         run.thresholds.manipulated, run.thresholds.clear));
  html +=
      Fact("Intervals",
           fmt::format("of shares: Wilson's; of all other figures: bootstrap, {} rounds over {} clusters of "
                       "files of one origin, percentiles 2.5 and 97.5, seed {}",
                       run.bootstrap_rounds, run.clusters, run.bootstrap_seed));
  if (run.seconds > 0)
    html +=
        Fact("Speed", fmt::format("{:.1f} files a second ({:.1f} s{})", run.files_per_second, run.seconds,
                                  run.passes > 1 ? fmt::format(", each measured {} times", run.passes) : ""));
  html += Fact("Software",
               fmt::format("unmask {}{}", run.software.unmask,
                           run.software.openvino.empty() ? "" : ", OpenVINO " + run.software.openvino));
  html +=
      "</table>\n<p>“Real” and “fake” are the labels of the data. An interval covers chance in drawing the "
      "files, "
      "not what the data lack: other people, cameras, and ways to manipulate. Figures that depend on the "
      "share "
      "of fakes (precision, calibration, wrong answers) do not carry over to places where fakes are "
      "rare.</p>\n";
  return html + "</section>\n";
}

}  // namespace

std::string EvaluationHtml(const Evaluation& evaluation) {
  const RunFacts& run = evaluation.run;
  const std::size_t files = evaluation.figures.authentic.files + evaluation.figures.manipulated.files;
  const std::string who =
      run.model ? fmt::format("{}:{}", run.model->name, run.model->version) : "a detector";
  const std::string title = EscapeForHtml(fmt::format("Evaluation of {} on {} files", who, files));
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>{} – unmask</title>\n<style>{}</style>\n"
      "</head>\n<body>\n<header><h1>{}</h1></header>\n<main>\n",
      Policy(), title, Style(), title);
  html += Overview(evaluation) + Discrimination(evaluation) + Probabilities(evaluation) +
          VerdictSection(evaluation) + DegradedSection(evaluation) + GroupSection(evaluation) +
          SkipSection(evaluation) + Method(evaluation);
  html += fmt::format("</main>\n<footer>Made with unmask {}.</footer>\n</body>\n</html>\n",
                      EscapeForHtml(run.software.unmask));
  return html;
}

}  // namespace unmask
