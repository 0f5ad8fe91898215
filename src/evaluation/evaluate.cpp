// SPDX-License-Identifier: Apache-2.0
#include "evaluation/evaluate.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "analysis/config.hpp"
#include "analysis/judge.hpp"
#include "base/thread_pool.hpp"
#include "base/version.hpp"
#include "evaluation/crop_runner.hpp"
#include "evaluation/media_runner.hpp"
#include "evaluation/scores_csv.hpp"
#include "evaluation/summary.hpp"
#include "model/admission.hpp"
#include "model/remote/engine_choice.hpp"
#include "model/repository.hpp"

namespace unmask {
namespace {

/// One evaluation from its request to its result.
class Run {
 public:
  Run(const EvaluationRequest& request, EvaluationProgress& progress, std::stop_token stop)
      : request_(request),
        progress_(progress),
        stop_(std::move(stop)),
        analyzer_(WithDefaults(request.analyzer)) {}

  Result<Measured> MeasureOnly(std::span<const Variant> variants) {
    auto dataset = FindSamples(request_.data);
    if (!dataset) return tl::unexpected(dataset.error());
    progress_.OnStart(dataset->samples.size());
    if (auto ran = RunPasses(*dataset, variants); !ran) return tl::unexpected(ran.error());
    return Measured{std::move(*dataset), std::move(passes_), std::move(card_)};
  }

  Result<EvaluationResult> Execute() {
    DatasetRequest data = request_.data;
    if (request_.input == EvaluationInput::kScores) data.cells = ScoreColumns();
    auto dataset = FindSamples(data);
    if (!dataset) return tl::unexpected(dataset.error());
    progress_.OnStart(dataset->samples.size());
    const std::vector<Variant> variants = request_.degrade ? StandardVariants() : std::vector<Variant>();
    if (auto ran = RunPasses(*dataset, variants); !ran) return tl::unexpected(ran.error());
    samples_ = dataset->samples;

    EvaluationResult result;
    const Thresholds thresholds = request_.thresholds.value_or(card_.thresholds);
    result.evaluation = Summarise(
        std::move(*dataset), passes_,
        {.thresholds = thresholds, .bootstrap_rounds = request_.bootstrap_rounds, .seed = request_.seed});
    FillFacts(result.evaluation.run);
    result.samples = std::move(samples_);
    result.outcomes = std::move(passes_.front().outcomes);
    return result;
  }

 private:
  Result<void> RunPasses(Dataset& dataset, std::span<const Variant> variants) {
    switch (request_.input) {
      case EvaluationInput::kMedia:
        return Media(dataset.samples, variants);
      case EvaluationInput::kCrops:
        return Crops(dataset.samples, variants);
      case EvaluationInput::kScores:
        return Scores(dataset);
    }
    return {};
  }

  Result<std::unique_ptr<DecoderPool>> Decoders() const {
    return DecoderPool::Create(analyzer_.decoder, MediaLimits{.decoder_wall = analyzer_.decode_timeout},
                               ThreadsFor(request_.jobs));
  }

  Result<void> Keep(Result<std::vector<Pass>> passes, std::chrono::steady_clock::time_point begin) {
    if (!passes) return tl::unexpected(passes.error());
    passes_ = std::move(*passes);
    if (request_.thresholds)  // what others would do is asked, not what the verdicts did
      for (Pass& pass : passes_)
        for (SampleOutcome& outcome : pass.outcomes) outcome.thresholds.reset();
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return {};
  }

  Result<void> Media(std::span<const Sample> samples, std::span<const Variant> variants) {
    auto analyzer = Analyzer::Create(analyzer_);
    if (!analyzer) return tl::unexpected(analyzer.error());
    auto decoders = Decoders();
    if (!decoders) return tl::unexpected(decoders.error());
    card_ = (*analyzer)->model();
    software_ = (*analyzer)->software();
    const auto begin = std::chrono::steady_clock::now();
    return Keep(RunMedia(samples, **analyzer, **decoders, variants,
                         {.analysis = request_.analysis, .jobs = ThreadsFor(request_.jobs)}, OnFile(), stop_),
                begin);
  }

  OnSample OnFile() const {
    return [this](const Sample& sample) { progress_.OnFile(sample.name); };
  }

  Result<void> Crops(std::span<const Sample> samples, std::span<const Variant> variants) {
    auto decoders = Decoders();
    if (!decoders) return tl::unexpected(decoders.error());
    auto card = ModelRepository(analyzer_.models).Find(analyzer_.model);
    if (!card) return tl::unexpected(card.error());
    if (auto engines = CheckEngines(ModelRepository(analyzer_.models), analyzer_.engines); !engines)
      return tl::unexpected(engines.error());
    auto scorer = LoadForRun(std::move(*card), NetworkOptionsOf(analyzer_));
    if (!scorer) return tl::unexpected(scorer.error());
    card_ = (*scorer)->card();
    software_.openvino = EngineVersion();
    const auto begin = std::chrono::steady_clock::now();
    return Keep(RunCrops(samples, **decoders, **scorer, variants,
                         {.margin = request_.crop_margin,
                          .stability = request_.analysis.stability,
                          .jobs = ThreadsFor(request_.jobs)},
                         OnFile(), stop_),
                begin);
  }

  Result<void> Scores(Dataset& dataset) {
    Thresholds thresholds;
    if (request_.thresholds) {
      thresholds = *request_.thresholds;
    } else {
      auto card = ModelRepository(analyzer_.models).Find(analyzer_.model);
      if (!card) {
        card.error().hint = "give the detector's own with --thresholds MANIPULATED,CLEAR";
        return tl::unexpected(card.error());
      }
      card_.thresholds = thresholds = card->thresholds;
      dataset.notes.push_back(fmt::format("The thresholds are those of {}:{}; --thresholds gives others.",
                                          card->name, card->version));
    }
    passes_ = {{"clean", "", OutcomesOfScores(dataset, thresholds)}};
    if (dataset.samples.empty())
      return Fail(ErrorCode::kBadRequest, "no line has a score that can be read",
                  "see docs/evaluation.md for the columns");
    return {};
  }

  void FillFacts(RunFacts& run) const {
    run.input = InputName(request_.input);
    for (const auto& path : request_.data.paths) run.paths.push_back(path.string());
    run.split = request_.data.split;
    run.list = request_.data.list.string();
    run.crop_margin = request_.crop_margin;
    run.limit = request_.data.limit;
    run.analysis = request_.analysis;
    if (!card_.name.empty()) run.model = FactsOf(card_);
    run.fpr_at_clear = card_.thresholds.fpr_at_clear;
    run.software = software_;
    run.software.unmask = Version();
    run.seconds = seconds_;
    run.passes = passes_.size();
    if (seconds_ > 0) run.files_per_second = static_cast<double>(samples_.size()) / seconds_;
  }

  const EvaluationRequest& request_;
  EvaluationProgress& progress_;
  const std::stop_token stop_;
  const AnalyzerConfig analyzer_;
  std::vector<Sample> samples_;
  std::vector<Pass> passes_;
  ModelCard card_;
  SoftwareFacts software_;
  double seconds_ = 0;
};

}  // namespace

std::string_view InputName(EvaluationInput input) {
  switch (input) {
    case EvaluationInput::kMedia:
      return "media";
    case EvaluationInput::kCrops:
      return "crops";
    case EvaluationInput::kScores:
      return "scores";
  }
  return "media";
}

Result<Measured> Measure(const EvaluationRequest& request, std::span<const Variant> variants,
                         EvaluationProgress& progress, std::stop_token stop) {
  return Run(request, progress, std::move(stop)).MeasureOnly(variants);
}

Result<EvaluationResult> Evaluate(const EvaluationRequest& request, EvaluationProgress& progress,
                                  std::stop_token stop) {
  return Run(request, progress, std::move(stop)).Execute();
}

}  // namespace unmask
