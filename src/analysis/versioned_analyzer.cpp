// SPDX-License-Identifier: Apache-2.0
#include "analysis/versioned_analyzer.hpp"

#include <spdlog/spdlog.h>

#include "analysis/config.hpp"
#include "analysis/pipeline.hpp"
#include "base/file.hpp"
#include "base/thread_pool.hpp"
#include "base/version.hpp"
#include "face/detectors.hpp"
#include "model/admission.hpp"
#include "model/remote/engine_choice.hpp"

namespace unmask {
namespace {

// Each holds a file that its client may have deleted, so few wait; under load the shadow sees a part.
constexpr std::size_t kShadows = 4;

/// The same open file with a position of its own: the upload may be gone when the shadow's turn comes.
std::optional<OpenedMedia> Reopen(const std::filesystem::path& file, const OpenedMedia& media) {
  auto fd = OpenForReading(file);
  if (!fd) return std::nullopt;
  return OpenedMedia{.fd = std::move(*fd), .bytes = media.bytes, .sha256 = media.sha256, .begun = {}};
}

/// Nothing when the analysis says nothing of the model: it was cancelled, or its media are broken. An engine
/// elsewhere that is away fails its clients as much as one that answers nonsense, which is soon left alone.
std::optional<Judgement> JudgementOf(const Result<Report>& report) {
  if (report) return Judgement{.seconds = report->timing_ms.total / 1000, .score = report->score};
  const ErrorCode code = report.error().code;
  if (code == ErrorCode::kInternal || code == ErrorCode::kOverloaded) return Judgement{.failed = true};
  return std::nullopt;
}

class PipelineAnalyzer final : public VersionedAnalyzer {
 public:
  PipelineAnalyzer(std::unique_ptr<DecoderPool> decoders, std::unique_ptr<FaceDetector> detector,
                   std::unique_ptr<ServedModel> model)
      : decoders_(std::move(decoders)), detector_(std::move(detector)), model_(std::move(model)) {
    software_.unmask = Version();
    software_.openvino = EngineVersion();
  }
  ~PipelineAnalyzer() override { stop_shadows_.request_stop(); }

  Result<Report> Analyze(const std::filesystem::path& file, const std::string& name,
                         const AnalysisOptions& options, ProgressSink* progress,
                         std::stop_token stop) override {
    if (auto valid = Validate(options); !valid) return tl::unexpected(valid.error());
    auto media = OpenMedia(file);
    if (!media) return tl::unexpected(media.error());
    auto taken = model_->Take(media->sha256);
    if (!taken) return tl::unexpected(taken.error());
    ServedModel::Lease lease = std::move(*taken);
    // What picks frames may not outlive this call, so such an analysis has no shadow.
    std::optional<OpenedMedia> again;
    if (lease.shadow && !options.pick) again = Reopen(file, *media);
    auto report = RunPipeline({*decoders_, *detector_, *lease.scorer}, std::move(*media), name, options,
                              progress, std::move(stop));
    if (report) {
      report->model.label = lease.label;
      report->software.unmask = software_.unmask;
      report->software.openvino = software_.openvino;
    }
    if (const auto judgement = JudgementOf(report)) {
      model_->Record(lease.scorer->card().version, lease.label, *judgement);
      if (report && again) StartShadow(std::move(lease.shadow), std::move(*again), *report, *judgement);
    }
    return report;
  }

  const ModelCard& model() const override { return model_->card(); }
  Result<void> Ready() const override { return model_->Ready(); }
  const SoftwareFacts& software() const override { return software_; }
  ServedModel& served() override { return *model_; }

 private:
  void StartShadow(std::shared_ptr<const Scorer> scorer, OpenedMedia media, const Report& stable,
                   const Judgement& judgement) {
    auto task = [this, scorer = std::move(scorer), media = std::make_shared<OpenedMedia>(std::move(media)),
                 options = stable.options, name = stable.media.name, verdict = stable.verdict, judgement] {
      media->begun = std::chrono::steady_clock::now();
      const auto report = RunPipeline({*decoders_, *detector_, *scorer}, std::move(*media), name, options,
                                      nullptr, stop_shadows_.get_token());
      if (const auto shadow = JudgementOf(report))
        model_->RecordShadow(scorer->card().version, *shadow, judgement,
                             report && report->verdict == verdict);
    };
    if (!shadows_.TrySubmit(std::move(task)))
      spdlog::debug("a shadow analysis was left out: {} wait already", kShadows);
  }

  std::unique_ptr<DecoderPool> decoders_;
  std::unique_ptr<FaceDetector> detector_;
  std::unique_ptr<ServedModel> model_;
  SoftwareFacts software_;
  std::stop_source stop_shadows_;
  ThreadPool shadows_{1, kShadows};  // goes first: its tasks use all of the above
};

}  // namespace

Result<std::unique_ptr<VersionedAnalyzer>> VersionedAnalyzer::Create(AnalyzerConfig given,
                                                                     const ModelWatch& watch) {
  const AnalyzerConfig config = WithDefaults(std::move(given));
  // Decoders first: they start while the network is compiled.
  auto decoders = DecoderPool::Create(config.decoder, MediaLimits{.decoder_wall = config.decode_timeout});
  if (!decoders) return tl::unexpected(decoders.error());
  const auto card = ModelRepository(config.models).Find(config.model);
  if (!card && card.error().code == ErrorCode::kNotFound) return tl::unexpected(card.error());
  if (auto engines = CheckEngines(ModelRepository(config.models), config.engines); !engines)
    return tl::unexpected(engines.error());
  auto model = WatchModel(config.models, config.model, NetworkOptionsOf(config), watch);
  if (!model) return tl::unexpected(model.error());
  auto detector = MakeFaceDetector(
      {.folder = config.detectors, .yunet = config.yunet, .cache = *config.cache, .threads = config.threads});
  if (!detector) return tl::unexpected(detector.error());
  return std::make_unique<PipelineAnalyzer>(std::move(*decoders), std::move(*detector), std::move(*model));
}

}  // namespace unmask
