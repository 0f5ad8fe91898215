// SPDX-License-Identifier: Apache-2.0
#include "evaluation/evaluation_plots.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "evaluation/evaluation_text.hpp"
#include "evaluation/plot.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

constexpr std::size_t kGroupsDrawn = 30;
constexpr double kLow = 0.0005;  // the error rates that a DET curve shows
constexpr double kHigh = 0.8;

Axis Unit(std::string title, bool percent) {
  return {.title = std::move(title), .low = 0, .high = 1, .ticks = UnitTicks(percent)};
}

Plot::Points Diagonal() { return {{0, 0}, {1, 1}}; }

/// The two operating points on a plot of error rates.
template <typename ToPoint>
void MarkThresholds(Plot& plot, const Figures& figures, ToPoint to_point) {
  for (const AtThreshold& at : figures.thresholds) {
    if (!at.fpr.value || !at.tpr.value) continue;
    const bool upper = at.name == "manipulated";
    const auto [x, y] = to_point(*at.fpr.value, *at.tpr.value);
    plot.Dot(upper ? "upper" : "lower", x, y,
             fmt::format("threshold {:.3f}: {:.1f} % of the fakes, {:.1f} % of the reals", at.threshold,
                         *at.tpr.value * 100, *at.fpr.value * 100));
    plot.Legend(upper ? "upper" : "lower", "dot", fmt::format("threshold “{}”", at.name));
  }
}

std::string Histogram(const Evaluation& evaluation, const std::vector<HistogramBin>& bins, const char* title,
                      bool thresholds, const char* caption) {
  if (bins.empty()) return {};
  std::size_t totals[2] = {};
  for (const HistogramBin& bin : bins) {
    totals[0] += bin.authentic;
    totals[1] += bin.manipulated;
  }
  const auto share = [&](std::size_t count, bool fake) {
    return totals[fake] == 0 ? 0 : static_cast<double>(count) / static_cast<double>(totals[fake]);
  };
  double top = 0.01;
  for (const HistogramBin& bin : bins)
    top = std::max({top, share(bin.authentic, false), share(bin.manipulated, true)});
  Axis y{.title = "share of the class", .low = 0, .high = top * 1.05, .ticks = {}};
  for (const Axis::Tick& tick : RoundTicks(0, top * 105))
    y.ticks.push_back({tick.at / 100, tick.label + " %"});
  const double low = bins.front().low;
  const double high = bins.back().high;
  Axis x{.title = title, .low = low, .high = high, .ticks = RoundTicks(low, high, thresholds ? 5 : 8)};
  Plot plot(fmt::format("Histogram: {}", title),
            fmt::format("{} in {} bins from {:.3g} to {:.3g}, for {} real and {} fake files", title,
                        bins.size(), low, high, totals[0], totals[1]),
            std::move(x), std::move(y));
  std::string table =
      "<table><tr><th>from</th><th>to</th><th class=\"num\">real</th><th class=\"num\">fake</th></tr>";
  for (const HistogramBin& bin : bins) {
    for (const bool fake : {false, true}) {
      const std::size_t count = fake ? bin.manipulated : bin.authentic;
      if (count > 0)
        plot.Bar(fake ? "fake" : "real", bin.low, 0, bin.high, share(count, fake),
                 fmt::format("{:.3g} to {:.3g}: {} {}", bin.low, bin.high, count, fake ? "fake" : "real"));
    }
    table += fmt::format(
        "<tr><td>{:.3g}</td><td>{:.3g}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>", bin.low,
        bin.high, bin.authentic, bin.manipulated);
  }
  if (totals[0] > 0) plot.Legend("real", "bar", "real");
  if (totals[1] > 0) plot.Legend("fake", "bar", "fake");
  if (thresholds)
    for (const AtThreshold& at : evaluation.figures.thresholds) {
      const bool upper = at.name == "manipulated";
      plot.Vertical(upper ? "upper" : "lower", at.threshold, fmt::format("threshold “{}”", at.name));
    }
  return plot.Figure(caption, table + "</table>");
}

/// Estimates one below the other, with their intervals.
struct Row {
  std::string name;
  Estimate estimate;
};

std::string Forest(const std::string& label, const std::string& title, const std::vector<Row>& rows,
                   double reference, const char* caption) {
  double low = 1;
  double high = 0;
  for (const Row& row : rows) {
    if (!row.estimate.value) continue;
    low = std::min({low, *row.estimate.value, row.estimate.interval ? row.estimate.interval->low : 1.0});
    high = std::max({high, *row.estimate.value, row.estimate.interval ? row.estimate.interval->high : 0.0});
  }
  if (low > high) return {};
  const double pad = std::max(0.005, (high - low) * 0.08);
  low = std::max(0.0, low - pad);
  high = std::min(1.0, high + pad);
  Axis x{.title = title, .low = low, .high = high, .ticks = RoundTicks(low, high, 5)};
  const auto count = static_cast<double>(rows.size());
  Axis y{.title = "", .low = -0.7, .high = count - 0.3, .ticks = {}};
  for (std::size_t i = 0; i < rows.size(); ++i)
    y.ticks.push_back({count - 1 - static_cast<double>(i), rows[i].name});
  std::string words;
  for (const Row& row : rows) words += fmt::format("{}: {}. ", row.name, FormatEstimate(row.estimate, 3));
  Plot plot(label, words, std::move(x), std::move(y), 70 + 22 * static_cast<int>(rows.size()));
  if (reference >= low && reference <= high) plot.Vertical("", reference);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Estimate& estimate = rows[i].estimate;
    if (!estimate.value) continue;
    const double at = count - 1 - static_cast<double>(i);
    if (estimate.interval) plot.Range(estimate.interval->low, at, estimate.interval->high, at);
    plot.Dot("", *estimate.value, at, fmt::format("{}: {}", rows[i].name, FormatEstimate(estimate)));
  }
  return plot.Figure(caption);
}

}  // namespace

std::string RocPlot(const Evaluation& evaluation) {
  const auto& roc = evaluation.curves.roc;
  if (roc.empty()) return {};
  Plot plot("ROC curve",
            fmt::format("Share of the fakes found against share of the reals called manipulated; area {}",
                        FormatEstimate(evaluation.figures.auc)),
            Unit("reals called manipulated (false-positive rate)", true), Unit("fakes found", true));
  plot.Line("chance", Diagonal());
  Plot::Points points;
  for (const RocPoint& point : roc) points.emplace_back(point.fpr, point.tpr);
  plot.Line("", points);
  plot.Legend("", "line", "this detector");
  plot.Legend("chance", "line", "chance");
  MarkThresholds(plot, evaluation.figures, [](double fpr, double tpr) { return std::pair(fpr, tpr); });
  return plot.Figure("ROC curve: what each threshold would find and whom it would accuse.");
}

std::string DetPlot(const Evaluation& evaluation) {
  const auto& roc = evaluation.curves.roc;
  if (roc.empty()) return {};
  const auto deviate = [](double share) { return NormalDeviate(std::clamp(share, kLow, kHigh)); };
  const auto axis = [&](const char* title) {
    Axis result{.title = title, .low = deviate(kLow), .high = deviate(kHigh), .ticks = {}};
    for (const double share : {0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6})
      result.ticks.push_back({deviate(share), fmt::format("{:.3g} %", share * 100)});
    return result;
  };
  Plot plot("DET curve", "Miss rate against false-positive rate on normal-deviate axes",
            axis("reals called manipulated"), axis("fakes missed"));
  Plot::Points points;
  for (const RocPoint& point : roc) points.emplace_back(deviate(point.fpr), deviate(1 - point.tpr));
  plot.Line("", points);
  plot.Legend("", "line", "this detector");
  MarkThresholds(plot, evaluation.figures,
                 [&](double fpr, double tpr) { return std::pair(deviate(fpr), deviate(1 - tpr)); });
  return plot.Figure(
      "DET curve: the same on axes that stretch the small error rates; lower left is better. With few reals "
      "the curve ends in large steps.");
}

std::string ReliabilityPlot(const Evaluation& evaluation) {
  const auto& bins = evaluation.curves.reliability;
  if (bins.empty()) return {};
  double most = 1;
  for (const ReliabilityBin& bin : bins) most = std::max(most, bin.count);
  Plot plot("Reliability diagram",
            fmt::format("Share of fakes against the mean score in {} bins; expected calibration error {}",
                        bins.size(), FormatEstimate(evaluation.figures.ece)),
            Unit("mean score", false), Unit("share of fakes", false));
  std::string table =
      "<table><tr><th>score</th><th class=\"num\">files</th><th class=\"num\">mean score</th>"
      "<th class=\"num\">share of fakes</th><th>95 %</th></tr>";
  for (const ReliabilityBin& bin : bins)
    if (bin.count > 0)
      plot.Bar("count", bin.low, 0, bin.high, 0.25 * bin.count / most, fmt::format("{} files", bin.count));
  plot.Line("chance", Diagonal());
  Plot::Points points;
  for (const ReliabilityBin& bin : bins) {
    const std::string range = fmt::format("{:.3g} – {:.3g}", bin.low, bin.high);
    if (bin.count == 0) {
      table += fmt::format("<tr><td>{}</td><td class=\"num\">0</td><td></td><td></td><td></td></tr>", range);
      continue;
    }
    const auto hits = static_cast<std::size_t>(std::lround(bin.share_manipulated * bin.count));
    const Interval interval = WilsonInterval(hits, static_cast<std::size_t>(bin.count));
    plot.Range(bin.mean_score, interval.low, bin.mean_score, interval.high);
    points.emplace_back(bin.mean_score, bin.share_manipulated);
    table += fmt::format(
        "<tr><td>{}</td><td class=\"num\">{}</td><td class=\"num\">{:.3f}</td><td class=\"num\">{:.3f}</td>"
        "<td class=\"within\">{:.3f} – {:.3f}</td></tr>",
        range, bin.count, bin.mean_score, bin.share_manipulated, interval.low, interval.high);
  }
  plot.Line("", points);
  for (const auto& [x, y] : points) plot.Dot("", x, y, fmt::format("score {:.3f}, fakes {:.3f}", x, y));
  plot.Legend("", "dot", "files of one bin, with 95 % interval");
  plot.Legend("chance", "line", "perfect calibration");
  plot.Legend("count", "bar", "number of files");
  return plot.Figure(
      "Reliability: of the files with a score near 0.8, are 80 % fakes? Above the diagonal the detector is "
      "too cautious, below it too sure. It holds for this mix of real and fake alone.",
      table + "</table>");
}

std::string ScorePlot(const Evaluation& evaluation) {
  return Histogram(evaluation, evaluation.curves.scores, "score", true,
                   "Scores of both classes; the dashed lines are the thresholds.");
}

std::string LogitPlot(const Evaluation& evaluation) {
  return Histogram(evaluation, evaluation.curves.logits, "logit", false,
                   "The network's own values, before they become probabilities.");
}

std::string RiskCoveragePlot(const Evaluation& evaluation) {
  const auto& curve = evaluation.curves.risk_coverage;
  if (curve.empty()) return {};
  double top = 0.02;
  for (const RiskCoveragePoint& point : curve)
    if (point.coverage > 0.05) top = std::max(top, point.risk);
  const Decisions& decisions = evaluation.figures.decisions;
  const bool product = decisions.inconclusive.value && decisions.error.value;
  if (product) top = std::max(top, *decisions.error.value);
  Axis y{.title = "wrong answers", .low = 0, .high = std::min(1.0, top * 1.1), .ticks = {}};
  for (const Axis::Tick& tick : RoundTicks(0, y.high * 100))
    y.ticks.push_back({tick.at / 100, tick.label + " %"});
  Plot plot("Risk-coverage curve",
            fmt::format("Share of wrong answers against share of files answered; area {}",
                        FormatEstimate(evaluation.figures.aurc)),
            Unit("files that get an answer (coverage)", true), std::move(y));
  Plot::Points points;
  for (const RiskCoveragePoint& point : curve) points.emplace_back(point.coverage, point.risk);
  plot.Line("", points);
  plot.Legend("", "line", "answering the surest files only");
  if (product) {
    plot.Dot("product", 1 - *decisions.inconclusive.value, *decisions.error.value,
             fmt::format("verdicts: {} inconclusive, {} wrong", FormatPercent(decisions.inconclusive),
                         FormatPercent(decisions.error)));
    plot.Legend("product", "dot", "the verdicts, with both thresholds");
  }
  return plot.Figure(
      "Risk and coverage: how many answers are wrong when only the surest files get one. The verdicts need "
      "not lie on the curve: their thresholds spare real files rather than errors of either kind.");
}

std::string DegradedAucPlot(const Evaluation& evaluation) {
  if (evaluation.degraded.empty()) return {};
  std::vector<Row> rows{{"clean", evaluation.figures.auc}};
  for (const DegradedFigures& pass : evaluation.degraded) rows.push_back({pass.name, pass.figures.auc});
  return Forest("AUC under degradation", "AUC", rows, evaluation.figures.auc.value.value_or(-1),
                "AUC with 95 % interval; the dashed line is the clean value.");
}

std::string FlipPlot(const Evaluation& evaluation) {
  if (evaluation.degraded.empty()) return {};
  double top = 0.02;
  for (const DegradedFigures& pass : evaluation.degraded)
    if (pass.flips.interval) top = std::max(top, pass.flips.interval->high);
  Axis x{.title = "files whose verdict changes", .low = 0, .high = std::min(1.0, top * 1.05), .ticks = {}};
  for (const Axis::Tick& tick : RoundTicks(0, x.high * 100))
    x.ticks.push_back({tick.at / 100, tick.label + " %"});
  const auto count = static_cast<double>(evaluation.degraded.size());
  Axis y{.title = "", .low = -0.7, .high = count - 0.3, .ticks = {}};
  std::string words;
  for (std::size_t i = 0; i < evaluation.degraded.size(); ++i) {
    const DegradedFigures& pass = evaluation.degraded[i];
    y.ticks.push_back({count - 1 - static_cast<double>(i), pass.name});
    words += fmt::format("{}: {}. ", pass.name, FormatPercent(pass.flips));
  }
  Plot plot("Verdicts that flip", words, std::move(x), std::move(y),
            70 + 22 * static_cast<int>(evaluation.degraded.size()));
  for (std::size_t i = 0; i < evaluation.degraded.size(); ++i) {
    const DegradedFigures& pass = evaluation.degraded[i];
    const double at = count - 1 - static_cast<double>(i);
    if (!pass.flips.value) continue;
    plot.Bar("count", 0, at - 0.32, *pass.flips.value, at + 0.32,
             fmt::format("{}: {}", pass.name, FormatPercent(pass.flips)));
    if (pass.opposite_flips.value && *pass.opposite_flips.value > 0)
      plot.Bar("fake", 0, at - 0.32, *pass.opposite_flips.value, at + 0.32,
               fmt::format("{}: {} to the opposite", pass.name, FormatPercent(pass.opposite_flips)));
    if (pass.flips.interval) plot.Range(pass.flips.interval->low, at, pass.flips.interval->high, at);
  }
  plot.Legend("count", "bar", "to or from inconclusive");
  plot.Legend("fake", "bar", "to the opposite verdict");
  return plot.Figure("Share of the files whose verdict is another one after the degradation.");
}

std::string GroupPlot(const Evaluation& evaluation) {
  std::vector<Row> rows;
  for (const GroupFigures& group : evaluation.groups)
    if (group.auc.value && rows.size() < kGroupsDrawn)
      rows.push_back({group.name.empty() ? "(none)" : Shorten(EscapeForTerminal(group.name), 24), group.auc});
  if (rows.empty()) return {};
  return Forest("AUC by group", "AUC", rows, evaluation.figures.auc.value.value_or(-1),
                "AUC of each group with 95 % interval, worst first; the dashed line is the whole set's.");
}

}  // namespace unmask
