// SPDX-License-Identifier: Apache-2.0
#include "evaluation/gate.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>

#include "evaluation/metrics/probability.hpp"
#include "evaluation/metrics/ranking.hpp"
#include "evaluation/summary.hpp"

namespace unmask {
namespace {

constexpr std::string_view kVariants[] = {"jpeg_40", "scale_0.5", "h264_crf_32"};

/// The samples that both versions scored in one pass.
struct Paired {
  std::vector<std::size_t> indices;
  std::vector<std::string> clusters;
  std::vector<LabelledScore> scores[2];  ///< probabilities; of the candidate and of stable
  std::vector<LabelledScore> ranks[2];   ///< logits when every sample has one
};

Paired Pair(std::span<const Sample> samples, const Pass* const (&passes)[2]) {
  Paired paired;
  bool by_logit[2] = {true, true};
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!passes[0]->outcomes[i].score || !passes[1]->outcomes[i].score) continue;
    paired.indices.push_back(i);
    paired.clusters.push_back(ClusterOf(samples[i], i));
    for (const int side : {0, 1}) by_logit[side] &= passes[side]->outcomes[i].logit.has_value();
  }
  for (const int side : {0, 1})
    for (const std::size_t i : paired.indices) {
      const SampleOutcome& outcome = passes[side]->outcomes[i];
      paired.scores[side].push_back({samples[i].manipulated, *outcome.score});
      paired.ranks[side].push_back(
          {samples[i].manipulated, by_logit[side] ? *outcome.logit : *outcome.score});
    }
  return paired;
}

/// A figure of one side; with the counts of a draw, or of the files as they are.
using FigureOf = std::function<Figure(int side, Weights counts)>;

GateFigure Compare(std::string name, bool higher_is_better, const Bootstrap& bootstrap,
                   const FigureOf& figure_of) {
  GateFigure figure{.name = std::move(name), .higher_is_better = higher_is_better};
  const Figure candidate = figure_of(0, {});
  const Figure stable = figure_of(1, {});
  if (candidate) figure.candidate = *candidate;
  if (stable) figure.stable = *stable;
  if (!candidate || !stable) {
    figure.reason = candidate ? stable.error() : candidate.error();
    return figure;
  }
  figure.change = *candidate - *stable;
  figure.interval = bootstrap.IntervalOf([&](Weights counts) -> Figure {
    const Figure a = figure_of(0, counts);
    if (!a) return a;
    const Figure b = figure_of(1, counts);
    return b ? Figure(*a - *b) : b;
  });
  if (!figure.interval) {
    figure.reason = "no interval could be drawn: a class is too rare";
    return figure;
  }
  figure.lost = higher_is_better ? figure.interval->high < 0 : figure.interval->low > 0;
  return figure;
}

template <typename Metric>
FigureOf OfRanks(const Paired& paired, Metric metric) {
  std::vector<Ranking> rankings = {Ranking(paired.ranks[0]), Ranking(paired.ranks[1])};
  return [rankings = std::move(rankings), metric](int side, Weights counts) {
    const Ranking& ranking = rankings[static_cast<std::size_t>(side)];
    return counts.empty() ? metric(ranking) : metric(ranking.Reweighted(counts));
  };
}

/// Groups with enough files of each class: positions in Paired.
std::map<std::string, std::vector<std::size_t>> LargeGroups(std::span<const Sample> samples,
                                                            const Paired& paired, std::size_t least) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t at = 0; at < paired.indices.size(); ++at)
    groups[samples[paired.indices[at]].group].push_back(at);
  std::erase_if(groups, [&](const auto& group) {
    std::size_t fake = 0;
    for (const std::size_t at : group.second) fake += paired.scores[0][at].manipulated ? 1U : 0U;
    return group.first.empty() || fake < least || group.second.size() - fake < least;
  });
  return groups;
}

GateFigure CompareWorstGroups(std::span<const Sample> samples, const Paired& paired,
                              const Bootstrap& bootstrap, std::size_t least) {
  const auto groups = LargeGroups(samples, paired, least);
  if (groups.empty())
    return {.name = "worst_group_auc", .reason = fmt::format("no group has {} files of each class", least)};
  struct Group {
    std::string name;
    std::vector<std::size_t> members;
    std::vector<Ranking> rankings;
  };
  std::vector<Group> all;
  for (const auto& [name, members] : groups) {
    Group group{.name = name, .members = members, .rankings = {}};
    for (const int side : {0, 1}) {
      std::vector<LabelledScore> ranks;
      for (const std::size_t at : members) ranks.push_back(paired.ranks[side][at]);
      group.rankings.emplace_back(ranks);
    }
    all.push_back(std::move(group));
  }
  std::string worst[2];
  const auto figure_of = [&](int side, Weights counts) {
    Figure least_auc = NoFigure("no group has both classes");
    for (const Group& group : all) {
      const Ranking& ranking = group.rankings[static_cast<std::size_t>(side)];
      std::vector<std::uint32_t> own;
      for (const std::size_t at : group.members)
        if (!counts.empty()) own.push_back(counts[at]);
      const Figure auc = Auc(counts.empty() ? ranking : ranking.Reweighted(own));
      if (!auc || (least_auc && *auc >= *least_auc)) continue;
      least_auc = auc;
      if (counts.empty()) worst[side] = group.name;
    }
    return least_auc;
  };
  GateFigure figure = Compare("worst_group_auc", true, bootstrap, figure_of);
  if (figure.interval) figure.reason = fmt::format("candidate: {}, stable: {}", worst[0], worst[1]);
  return figure;
}

std::size_t Failed(const Measured& measured) {
  std::size_t failed = 0;
  for (const Pass& pass : measured.passes)
    failed += static_cast<std::size_t>(
        std::count_if(pass.outcomes.begin(), pass.outcomes.end(),
                      [](const SampleOutcome& outcome) { return outcome.error || !outcome.score; }));
  return failed;
}

void Decide(GateReport& report, std::size_t failed, std::size_t failed_before) {
  const std::size_t least = report.options.least_files;
  if (report.real < least || report.fake < least)
    report.refusals.push_back(
        fmt::format("{} real and {} fake files are too few to decide on (expected {} of each)", report.real,
                    report.fake, least));
  for (GateFigure& figure : report.figures) {
    figure.worse = figure.lost && std::abs(*figure.change) > report.options.tolerance;
    if (figure.worse)
      report.refusals.push_back(fmt::format("{} is worse: {:.4f}, before {:.4f} (change {:+.4f} to {:+.4f})",
                                            figure.name, *figure.candidate, *figure.stable,
                                            figure.interval->low, figure.interval->high));
    else if (!figure.interval && figure.name != "worst_group_auc")
      report.refusals.push_back(fmt::format("{} could not be measured: {}", figure.name, figure.reason));
  }
  if (failed > failed_before)
    report.refusals.push_back(
        fmt::format("it gives no score for {} pictures, before {}", failed, failed_before));
}

}  // namespace

std::vector<Variant> GateVariants() {
  std::vector<Variant> chosen;
  for (Variant& variant : StandardVariants())
    if (std::find(std::begin(kVariants), std::end(kVariants), variant.name) != std::end(kVariants))
      chosen.push_back(std::move(variant));
  return chosen;
}

GateReport CompareVersions(const Measured& candidate, const Measured& stable, const GateOptions& options) {
  GateReport report{.candidate = candidate.card,
                    .stable = stable.card,
                    .options = options,
                    .skipped = candidate.dataset.skipped};
  const std::span<const Sample> samples = candidate.dataset.samples;
  for (std::size_t pass = 0; pass < candidate.passes.size(); ++pass) {
    const Pass* const both[2] = {&candidate.passes[pass], &stable.passes[pass]};
    const Paired paired = Pair(samples, both);
    const Bootstrap bootstrap(paired.clusters, paired.indices.size(), options.bootstrap_rounds, options.seed);
    if (pass > 0) {
      report.figures.push_back(Compare("auc_" + both[0]->name, true, bootstrap, OfRanks(paired, Auc)));
      continue;
    }
    for (const LabelledScore& score : paired.scores[0]) ++(score.manipulated ? report.fake : report.real);
    report.clusters = bootstrap.clusters();
    report.figures.push_back(Compare("auc", true, bootstrap, OfRanks(paired, Auc)));
    report.figures.push_back(
        Compare("tpr_at_fpr_1", true, bootstrap,
                OfRanks(paired, [](const Ranking& ranking) { return TprAtFpr(ranking, 0.01); })));
    report.figures.push_back(Compare("ece", false, bootstrap, [&](int side, Weights counts) {
      return ExpectedCalibrationError(paired.scores[side], 10, counts);
    }));
    report.figures.push_back(CompareWorstGroups(samples, paired, bootstrap, options.min_group));
  }
  Decide(report, Failed(candidate), Failed(stable));
  return report;
}

Result<GateReport> RunGate(EvaluationRequest request, const AnalyzerConfig& candidate,
                           const AnalyzerConfig& stable, const GateOptions& options,
                           EvaluationProgress& progress, std::stop_token stop) {
  request.analysis.stability = false;  // none of the figures is of verdicts
  const std::vector<Variant> variants = GateVariants();
  request.analyzer = candidate;
  const auto of_candidate = Measure(request, variants, progress, stop);
  if (!of_candidate) return tl::unexpected(of_candidate.error());
  request.analyzer = stable;
  const auto of_stable = Measure(request, variants, progress, stop);
  if (!of_stable) return tl::unexpected(of_stable.error());
  if (of_candidate->dataset.samples.size() != of_stable->dataset.samples.size())
    return Fail(ErrorCode::kConflict, "the data changed while they were measured", "run it again");
  return CompareVersions(*of_candidate, *of_stable, options);
}

}  // namespace unmask
