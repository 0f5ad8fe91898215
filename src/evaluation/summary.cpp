// SPDX-License-Identifier: Apache-2.0
#include "evaluation/summary.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace unmask {
namespace {

constexpr int kReliabilityBins = 10;
constexpr int kHistogramBins = 20;
constexpr int kLogitBins = 40;

/// The scored samples of one pass or a part of it.
struct Scored {
  std::vector<LabelledScore> scores;  ///< probabilities
  std::vector<LabelledScore> ranks;   ///< what files are ordered by
  std::vector<std::string> clusters;
  std::vector<std::size_t> indices;  ///< of the samples
};

Scored Collect(std::span<const Sample> samples, const Pass& pass, std::span<const std::size_t> indices) {
  Scored scored;
  const bool by_logit = std::all_of(indices.begin(), indices.end(), [&](std::size_t i) {
    return !pass.outcomes[i].score || pass.outcomes[i].logit;
  });
  for (const std::size_t i : indices) {
    const SampleOutcome& outcome = pass.outcomes[i];
    if (outcome.error || !outcome.score) continue;
    scored.scores.push_back({samples[i].manipulated, *outcome.score});
    scored.ranks.push_back({samples[i].manipulated, by_logit ? *outcome.logit : *outcome.score});
    scored.clusters.push_back(ClusterOf(samples[i], i));
    scored.indices.push_back(i);
  }
  return scored;
}

void Count(const SampleOutcome& outcome, ClassCounts& counts) {
  ++counts.files;
  if (outcome.error) {
    ++counts.failed;
    return;
  }
  switch (outcome.verdict) {
    case Verdict::kManipulated:
      ++counts.manipulated;
      break;
    case Verdict::kNoManipulationFound:
      ++counts.no_manipulation_found;
      break;
    case Verdict::kInconclusive:
      ++counts.inconclusive;
      break;
  }
  counts.scored += outcome.score ? 1U : 0U;
  for (const std::string& reason : outcome.reasons) {
    ++counts.reasons[reason];
    counts.no_face += reason == ReasonName(Reason::kNoFace) ? 1U : 0U;
  }
}

std::size_t Analysed(const ClassCounts& counts) { return counts.files - counts.failed; }

Estimate Share(std::size_t hits, std::size_t count, const char* reason_for_none) {
  if (count == 0) return {NoFigure(reason_for_none), std::nullopt};
  return {static_cast<double>(hits) / static_cast<double>(count), WilsonInterval(hits, count)};
}

/// A figure of a ranking with its bootstrap interval.
template <typename Metric>
Estimate OfRanking(const Ranking& ranking, const Bootstrap& bootstrap, Metric metric) {
  Estimate estimate{metric(ranking), std::nullopt};
  if (estimate.value)
    estimate.interval =
        bootstrap.IntervalOf([&](Weights counts) { return metric(ranking.Reweighted(counts)); });
  return estimate;
}

/// A figure of probabilities with its bootstrap interval.
template <typename Metric>
Estimate OfScores(LabelledScores scores, const Bootstrap& bootstrap, Metric metric) {
  Estimate estimate{metric(scores, Weights{}), std::nullopt};
  if (estimate.value)
    estimate.interval = bootstrap.IntervalOf([&](Weights counts) { return metric(scores, counts); });
  return estimate;
}

/// `threshold`: of the files that were not decided by thresholds of their own.
AtThreshold Apply(const Scored& scored, const Pass& pass, const char* name, double Thresholds::*which,
                  double threshold) {
  AtThreshold at{.name = name, .threshold = threshold};
  std::vector<LabelledScore> beyond;  // by how much; exact in sign, so that 0 is the threshold itself
  for (std::size_t i = 0; i < scored.scores.size(); ++i) {
    const auto& own = pass.outcomes[scored.indices[i]].thresholds;
    const double applied = own ? (*own).*which : threshold;
    at.by_another += applied != threshold ? 1U : 0U;
    beyond.push_back({scored.scores[i].manipulated, scored.scores[i].score - applied});
  }
  at.matrix = Confusion(beyond, 0);
  const ConfusionMatrix& m = at.matrix;
  at.fpr = Share(m.false_positives, m.false_positives + m.true_negatives, "no authentic file has a score");
  at.tpr = Share(m.true_positives, m.true_positives + m.false_negatives, "no manipulated file has a score");
  at.precision =
      Share(m.true_positives, m.true_positives + m.false_positives, "no file reaches its threshold");
  return at;
}

Decisions Decide(const ClassCounts& authentic, const ClassCounts& manipulated) {
  const std::size_t analysed = Analysed(authentic) + Analysed(manipulated);
  const std::size_t open = authentic.inconclusive + manipulated.inconclusive;
  return {.inconclusive = Share(open, analysed, "no file was analysed"),
          .error = Share(authentic.manipulated + manipulated.no_manipulation_found, analysed - open,
                         "no file got an answer"),
          .authentic_accused =
              Share(authentic.manipulated, Analysed(authentic), "no authentic file was analysed"),
          .manipulated_found =
              Share(manipulated.manipulated, Analysed(manipulated), "no manipulated file was analysed"),
          .manipulated_cleared = Share(manipulated.no_manipulation_found, Analysed(manipulated),
                                       "no manipulated file was analysed")};
}

std::vector<std::size_t> AllOf(std::size_t count) {
  std::vector<std::size_t> indices(count);
  for (std::size_t i = 0; i < count; ++i) indices[i] = i;
  return indices;
}

class Summary {
 public:
  Summary(Dataset dataset, std::span<const Pass> passes, const SummaryOptions& options)
      : samples_(std::move(dataset.samples)), passes_(passes), options_(options) {
    result_.skipped = std::move(dataset.skipped);
    result_.left_out = std::move(dataset.left_out);
    result_.notes = std::move(dataset.notes);
  }

  Evaluation Make() {
    const Pass& clean = passes_.front();
    for (std::size_t i = 0; i < samples_.size(); ++i)
      if (const auto& error = clean.outcomes[i].error)
        result_.skipped.Add(std::string(CodeName(error->code)), samples_[i].name, error->message);

    const auto all = AllOf(samples_.size());
    const Scored scored = Collect(samples_, clean, all);
    result_.figures = FiguresOf(clean, scored);
    result_.curves = CurvesOf(clean, scored);
    AddGroups(clean);
    for (const Pass& pass : passes_.subspan(1)) result_.degraded.push_back(Compare(clean, pass, all));

    RunFacts& run = result_.run;
    run.thresholds = options_.thresholds;
    run.bootstrap_rounds = options_.bootstrap_rounds;
    run.bootstrap_seed = options_.seed;
    run.clusters = std::set<std::string>(scored.clusters.begin(), scored.clusters.end()).size();
    return std::move(result_);
  }

 private:
  Bootstrap BootstrapOf(const Scored& scored) const {
    return Bootstrap(scored.clusters, scored.scores.size(), options_.bootstrap_rounds, options_.seed);
  }

  Figures FiguresOf(const Pass& pass, const Scored& scored) const {
    Figures figures;
    for (std::size_t i = 0; i < samples_.size(); ++i)
      Count(pass.outcomes[i], samples_[i].manipulated ? figures.manipulated : figures.authentic);
    const Ranking ranking(scored.ranks);
    const Bootstrap bootstrap = BootstrapOf(scored);
    figures.auc = OfRanking(ranking, bootstrap, Auc);
    figures.average_precision = OfRanking(ranking, bootstrap, AveragePrecision);
    figures.equal_error_rate = OfRanking(ranking, bootstrap, EqualErrorRate);
    figures.tpr_at_fpr_1 = OfRanking(ranking, bootstrap, [](const Ranking& r) { return TprAtFpr(r, 0.01); });
    figures.tpr_at_fpr_01 =
        OfRanking(ranking, bootstrap, [](const Ranking& r) { return TprAtFpr(r, 0.001); });
    figures.log_loss = OfScores(scored.scores, bootstrap, LogLoss);
    figures.brier = OfScores(scored.scores, bootstrap, BrierScore);
    figures.ece = OfScores(scored.scores, bootstrap, [](LabelledScores scores, Weights weights) {
      return ExpectedCalibrationError(scores, kReliabilityBins, weights);
    });
    figures.aurc = {AreaUnderRiskCoverage(scored.scores), std::nullopt};
    figures.thresholds = {
        Apply(scored, pass, "manipulated", &Thresholds::manipulated, options_.thresholds.manipulated),
        Apply(scored, pass, "clear", &Thresholds::clear, options_.thresholds.clear)};
    figures.decisions = Decide(figures.authentic, figures.manipulated);
    figures.no_face =
        Share(figures.authentic.no_face + figures.manipulated.no_face,
              Analysed(figures.authentic) + Analysed(figures.manipulated), "no file was analysed");
    return figures;
  }

  Curves CurvesOf(const Pass& pass, const Scored& scored) const {
    Curves curves;
    curves.roc = RocCurve(Ranking(scored.ranks));
    curves.reliability = ReliabilityDiagram(scored.scores, kReliabilityBins);
    curves.risk_coverage = RiskCoverage(scored.scores);
    curves.scores = ScoreHistogram(scored.scores, kHistogramBins);
    std::vector<LabelledScore> logits;
    double largest = 0;
    for (const std::size_t i : scored.indices)
      if (const auto& logit = pass.outcomes[i].logit) {
        logits.push_back({samples_[i].manipulated, *logit});
        largest = std::max(largest, std::abs(*logit));
      }
    if (!logits.empty()) {
      const double end = std::max(1.0, std::ceil(largest));
      curves.logits = ScoreHistogram(logits, kLogitBins, -end, end);
    }
    return curves;
  }

  void AddGroups(const Pass& pass) {
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < samples_.size(); ++i) groups[samples_[i].group].push_back(i);
    if (groups.size() < 2 && groups.contains("")) return;
    for (const auto& [name, indices] : groups) result_.groups.push_back(GroupOf(name, indices, pass));
    std::stable_sort(result_.groups.begin(), result_.groups.end(),
                     [](const GroupFigures& a, const GroupFigures& b) {
                       return a.auc.value.value_or(2) < b.auc.value.value_or(2);
                     });
    const auto worst = [&](const char* figure, auto estimate, auto files, double sign) {
      const GroupFigures* found = nullptr;
      for (const GroupFigures& group : result_.groups)
        if (files(group) >= options_.min_group && estimate(group).value &&
            (found == nullptr || sign * *estimate(group).value > sign * *estimate(*found).value))
          found = &group;
      if (found != nullptr) result_.worst.push_back({figure, found->name, *estimate(*found).value});
    };
    using G = const GroupFigures&;
    const auto authentic = [](G g) { return g.authentic.scored; };
    const auto manipulated = [](G g) { return g.manipulated.scored; };
    worst(
        "auc", [](G g) -> const Estimate& { return g.auc; },
        [&](G g) { return std::min(authentic(g), manipulated(g)); }, -1);
    worst(
        "fpr_at_manipulated", [](G g) -> const Estimate& { return g.fpr; }, authentic, 1);
    worst(
        "tpr_at_manipulated", [](G g) -> const Estimate& { return g.tpr; }, manipulated, -1);
  }

  GroupFigures GroupOf(const std::string& name, std::span<const std::size_t> indices,
                       const Pass& pass) const {
    GroupFigures group{.name = name};
    for (const std::size_t i : indices)
      Count(pass.outcomes[i], samples_[i].manipulated ? group.manipulated : group.authentic);
    const Scored scored = Collect(samples_, pass, indices);
    group.auc = OfRanking(Ranking(scored.ranks), BootstrapOf(scored), Auc);
    const AtThreshold at =
        Apply(scored, pass, "manipulated", &Thresholds::manipulated, options_.thresholds.manipulated);
    group.fpr = at.fpr;
    group.tpr = at.tpr;
    return group;
  }

  DegradedFigures Compare(const Pass& clean, const Pass& pass, std::span<const std::size_t> all) const {
    DegradedFigures degraded{.name = pass.name, .description = pass.description};
    degraded.figures = FiguresOf(pass, Collect(samples_, pass, all));

    std::vector<std::size_t> both;
    std::size_t compared = 0;
    std::size_t flips = 0;
    std::size_t opposite = 0;
    for (const std::size_t i : all) {
      const SampleOutcome& before = clean.outcomes[i];
      const SampleOutcome& after = pass.outcomes[i];
      if (before.error || after.error) continue;
      ++compared;
      flips += before.verdict != after.verdict ? 1U : 0U;
      opposite += before.verdict != after.verdict && before.verdict != Verdict::kInconclusive &&
                          after.verdict != Verdict::kInconclusive
                      ? 1U
                      : 0U;
      if (before.score && after.score) both.push_back(i);
    }
    degraded.flips = Share(flips, compared, "no file was analysed both ways");
    degraded.opposite_flips = Share(opposite, compared, "no file was analysed both ways");

    const Scored before = Collect(samples_, clean, both);
    const Scored after = Collect(samples_, pass, both);
    const Ranking ranking_before(before.ranks);
    const Ranking ranking_after(after.ranks);
    const auto change = [](const Ranking& from, const Ranking& to) -> Figure {
      const Figure a = Auc(from);
      const Figure b = Auc(to);
      return a && b ? Figure(*b - *a) : NoFigure(a ? b.error() : a.error());
    };
    degraded.auc_change.value = change(ranking_before, ranking_after);
    if (degraded.auc_change.value)
      degraded.auc_change.interval = BootstrapOf(before).IntervalOf([&](Weights counts) {
        return change(ranking_before.Reweighted(counts), ranking_after.Reweighted(counts));
      });
    return degraded;
  }

  const std::vector<Sample> samples_;
  const std::span<const Pass> passes_;
  const SummaryOptions& options_;
  Evaluation result_;
};

}  // namespace

std::string ClusterOf(const Sample& sample, std::size_t index) {
  // A byte that no cell of a CSV can begin with keeps files without a cluster apart from those with one.
  return sample.cluster.empty() ? std::string("\x01") + std::to_string(index) : sample.cluster;
}

Evaluation Summarise(Dataset dataset, std::span<const Pass> passes, const SummaryOptions& options) {
  return Summary(std::move(dataset), passes, options).Make();
}

}  // namespace unmask
