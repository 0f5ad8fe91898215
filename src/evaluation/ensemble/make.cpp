// SPDX-License-Identifier: Apache-2.0
#include "evaluation/ensemble/make.hpp"

#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "analysis/config.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/thread_pool.hpp"
#include "evaluation/crop_runner.hpp"
#include "evaluation/ensemble/card_text.hpp"
#include "evaluation/ensemble/looks.hpp"
#include "evaluation/summary.hpp"
#include "model/ensemble.hpp"
#include "model/golden.hpp"
#include "model/new_version.hpp"
#include "model/repository.hpp"

namespace unmask {
namespace {

constexpr int kLooks = 16;                // of a simulated track: the most that have a point of their own
constexpr std::size_t kTrackFaces = 600;  // that are looked at: each costs as much as kLooks faces

std::string Today() { return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr))); }

/// The card before anything is fitted: the mean of the members' logits, with the members' limits.
Result<ModelCard> Draft(const EnsembleRequest& request, const ModelRepository& repository, int version) {
  ModelCard card;
  card.name = request.name;
  card.version = version;
  card.ensemble.emplace();
  if (request.members.size() < 2)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("an ensemble needs two members or more, found {}", request.members.size()),
                "for example --members face:1,face:2");
  std::set<std::string> limits;
  for (const std::string& name : request.members) {
    auto member = repository.Find(name);
    if (!member) return tl::unexpected(member.error());
    const std::string full = fmt::format("{}:{}", member->name, member->version);
    if (member->ensemble)
      return Fail(ErrorCode::kBadRequest, full + " is an ensemble itself",
                  "name its members instead: " + MemberNames(*member->ensemble));
    for (const ModelCard& other : card.members)
      if (other.name == member->name && other.version == member->version)
        return Fail(ErrorCode::kBadRequest, full + " is named twice", "name each member once");
    for (const ModelLimit& limit : member->limits)
      if (limits.insert(limit.text).second) card.limits.push_back(limit);
    card.ensemble->members.push_back({member->name, member->version, member->sha256});
    card.members.push_back(std::move(*member));
  }
  card.ensemble->combination = MeanOf(card.members.size());
  card.description = request.description.empty() ? fmt::format("{} together", MemberNames(*card.ensemble))
                                                 : request.description;
  return card;
}

/// One ensemble from its request to its version.
class Maker {
 public:
  Maker(const EnsembleRequest& request, EvaluationProgress& progress, std::stop_token stop)
      : request_(request),
        progress_(progress),
        stop_(std::move(stop)),
        analyzer_(WithDefaults(request.analyzer)),
        network_{.device = analyzer_.device, .threads = analyzer_.threads, .cache = *analyzer_.cache} {}

  Result<EnsembleResult> Make() {
    auto draft = Draft(request_, ModelRepository(analyzer_.models), request_.version);
    if (!draft) return tl::unexpected(draft.error());
    auto target = NewVersion::Begin(analyzer_.models, request_.name, request_.version);
    if (!target) return tl::unexpected(target.error());
    card_ = std::move(*draft);
    card_.version = target->version();
    card_.folder = target->folder();
    std::optional<EnsembleFigures> figures;
    if (!request_.data.paths.empty()) {
      auto fitted = Fit();
      if (!fitted) return tl::unexpected(fitted.error());
      figures = std::move(*fitted);
    }
    if (auto written = Write(figures ? &*figures : nullptr); !written) return tl::unexpected(written.error());
    if (auto published = target->Publish(); !published) return tl::unexpected(published.error());
    auto card = ModelRepository(analyzer_.models).Card(card_.name, card_.version);
    if (!card) return tl::unexpected(card.error());
    return EnsembleResult{std::move(*card), std::move(figures)};
  }

 private:
  Result<EnsembleFigures> Fit() {
    auto dataset = FindSamples(request_.data);
    if (!dataset) return tl::unexpected(dataset.error());
    const auto scorer = Scorer::Load(card_, network_);
    if (!scorer) return tl::unexpected(scorer.error());
    const auto decoders = DecoderPool::Create(
        analyzer_.decoder, MediaLimits{.decoder_wall = analyzer_.decode_timeout}, ThreadsFor(request_.jobs));
    if (!decoders) return tl::unexpected(decoders.error());
    const std::vector<Sample> looked_at = SomeOf(dataset->samples);
    progress_.OnStart(dataset->samples.size() + looked_at.size());

    const auto passes = Score(dataset->samples, **decoders, **scorer, {});
    if (!passes) return tl::unexpected(passes.error());
    std::vector<Sample> samples;
    std::vector<MemberLogits> faces;
    for (std::size_t i = 0; i < dataset->samples.size(); ++i) {
      const Sample& sample = dataset->samples[i];
      const SampleOutcome& outcome = passes->front().outcomes[i];
      if (outcome.error) {
        dataset->skipped.Add(std::string(CodeName(outcome.error->code)), sample.name, outcome.error->message);
        continue;
      }
      samples.push_back(sample);
      faces.push_back({sample.manipulated, sample.cluster, outcome.members});
    }
    EnsembleFigures figures;
    const std::optional<Combination> fixed =
        request_.mean ? std::optional(MeanOf(card_.members.size())) : std::nullopt;
    auto fit = FitFaces(faces, fixed);
    if (!fit) return tl::unexpected(fit.error());
    figures.fit = std::move(*fit);
    figures.chosen = request_.mean ? "mean_logit" : "weighted";
    if (auto compared = Compare(std::move(samples), faces, figures); !compared)
      return tl::unexpected(compared.error());
    if (auto tracks = FitTracks(looked_at, **decoders, **scorer, figures); !tracks)
      return tl::unexpected(tracks.error());
    figures.dataset.skipped = std::move(dataset->skipped);
    figures.dataset.left_out = std::move(dataset->left_out);
    figures.dataset.notes = std::move(dataset->notes);
    Adopt(figures);
    return figures;
  }

  Result<std::vector<Pass>> Score(std::span<const Sample> samples, DecoderPool& decoders,
                                  const Scorer& scorer, std::span<const Variant> variants) {
    return RunCrops(
        samples, decoders, scorer, variants,
        {.margin = request_.crop_margin, .stability = false, .jobs = ThreadsFor(request_.jobs)},
        [this](const Sample& sample) { progress_.OnFile(sample.name); }, stop_);
  }

  /// An even choice of each class, in their order.
  static std::vector<Sample> SomeOf(const std::vector<Sample>& samples) {
    const std::size_t step = std::max<std::size_t>(1, (samples.size() + kTrackFaces - 1) / kTrackFaces);
    std::vector<Sample> some;
    std::size_t seen[2] = {};
    for (const Sample& sample : samples)
      if (seen[sample.manipulated]++ % step == 0) some.push_back(sample);
    return some;
  }

  /// Members, mean and weights by cross-fits, in one summary, so that differences are drawn in pairs.
  Result<void> Compare(std::vector<Sample> samples, std::span<const MemberLogits> faces,
                       EnsembleFigures& figures) {
    std::vector<Pass> passes;
    const auto add = [&](const std::string& name, const std::optional<Combination>& fixed) -> Result<void> {
      auto outcomes = CrossFit(faces, fixed);
      if (!outcomes) return tl::unexpected(outcomes.error());
      passes.push_back({name, "", std::move(*outcomes)});
      return {};
    };
    const std::size_t members = card_.members.size();
    for (std::size_t i = 0; i < members; ++i) {
      Combination alone{.fitted = true, .weights = std::vector<double>(members, 0), .bias = 0};
      alone.weights[i] = 1;
      const ModelCard& member = card_.members[i];
      if (auto done = add(fmt::format("{}:{}", member.name, member.version), alone); !done) return done;
    }
    if (auto done = add("mean_logit", MeanOf(members)); !done) return done;
    if (!request_.mean)
      if (auto done = add("weighted", std::nullopt); !done) return done;

    // The pass that the others are compared with comes first: the member of the highest AUC.
    const auto auc = [&](const Pass& pass) {
      std::vector<LabelledScore> ranks;
      for (std::size_t i = 0; i < faces.size(); ++i)
        ranks.push_back({faces[i].manipulated, *pass.outcomes[i].logit});
      return Auc(Ranking(ranks)).value_or(0);
    };
    const auto best = std::max_element(passes.begin(), passes.begin() + static_cast<std::ptrdiff_t>(members),
                                       [&](const Pass& a, const Pass& b) { return auc(a) < auc(b); });
    std::vector<std::string> order;
    for (const Pass& pass : passes) order.push_back(pass.name);
    std::rotate(passes.begin(), best, best + 1);
    figures.best_member = passes.front().name;

    Dataset dataset;
    dataset.samples = std::move(samples);
    Evaluation summary =
        Summarise(std::move(dataset), passes,
                  {.thresholds = figures.fit.thresholds, .bootstrap_rounds = request_.bootstrap_rounds});
    figures.clusters = summary.run.clusters;
    figures.authentic = summary.figures.authentic.files;
    figures.manipulated = summary.figures.manipulated.files;
    for (const std::string& name : order) {
      if (name == figures.best_member) {
        figures.candidates.push_back({name, summary.figures, {NoFigure("it is the best member"), {}}});
        continue;
      }
      const auto found = std::find_if(summary.degraded.begin(), summary.degraded.end(),
                                      [&](const DegradedFigures& pass) { return pass.name == name; });
      figures.candidates.push_back({name, found->figures, found->auc_change});
    }
    return {};
  }

  Result<void> FitTracks(std::span<const Sample> samples, DecoderPool& decoders, const Scorer& scorer,
                         EnsembleFigures& figures) {
    const auto passes = Score(samples, decoders, scorer, Looks(kLooks));
    if (!passes) return tl::unexpected(passes.error());
    std::vector<LabelledTrack> tracks;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      LabelledTrack track{.manipulated = samples[i].manipulated, .logits = {}};
      for (std::size_t look = 1; look < passes->size(); ++look) {
        const SampleOutcome& outcome = (*passes)[look].outcomes[i];
        if (!outcome.error) track.logits.push_back(Combine(figures.fit.combination, outcome.members));
      }
      if (track.logits.size() == kLooks) tracks.push_back(std::move(track));
    }
    auto compared = CompareTracks(tracks, figures.fit);
    if (!compared) return tl::unexpected(compared.error());
    figures.tracks = std::move(*compared);
    figures.track_faces = tracks.size();
    figures.own_track_points = NeedOwnPoints(figures.tracks);
    return {};
  }

  void Adopt(const EnsembleFigures& figures) {
    card_.ensemble->combination = figures.fit.combination;
    card_.calibration = figures.fit.calibration;
    card_.thresholds = figures.fit.thresholds;
    if (figures.own_track_points)
      for (const TrackComparison& row : figures.tracks) card_.tracks.push_back(row.own);
  }

  /// The files of the version, model.json last.
  Result<void> Write(const EnsembleFigures* figures) {
    const auto scorer = Scorer::Load(card_, network_);
    if (!scorer) return tl::unexpected(scorer.error());
    const auto golden = MakeGolden(**scorer);
    if (!golden) return tl::unexpected(golden.error());
    Sha256 hash;
    hash.Update(*golden);
    const std::string date = Today();
    const std::pair<const char*, std::string> files[] = {
        {"golden.json", *golden},
        {"CARD.md", EnsembleCard(card_, figures, date)},
        {"model.json", EnsembleJson(card_, figures, {{"golden.json", hash.Finish()}}, date)}};
    for (const auto& [name, text] : files)
      if (auto written = WriteFileAtomically(card_.folder / name, text); !written) return written;
    const auto proven = CheckGolden(**scorer);  // the members' too
    return proven ? Result<void>() : tl::unexpected(proven.error());
  }

  const EnsembleRequest& request_;
  EvaluationProgress& progress_;
  const std::stop_token stop_;
  const AnalyzerConfig analyzer_;
  const NetworkOptions network_;
  ModelCard card_;
};

}  // namespace

Result<EnsembleResult> MakeEnsemble(const EnsembleRequest& request, EvaluationProgress& progress,
                                    std::stop_token stop) {
  if (auto good = CheckModelName(request.name); !good) return tl::unexpected(good.error());
  return Maker(request, progress, std::move(stop)).Make();
}

}  // namespace unmask
