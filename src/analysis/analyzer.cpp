// SPDX-License-Identifier: Apache-2.0
#include "unmask/analyzer.hpp"

#include "analysis/config.hpp"
#include "analysis/pipeline.hpp"
#include "base/version.hpp"
#include "face/detectors.hpp"
#include "model/admission.hpp"
#include "model/remote/engine_choice.hpp"
#include "model/repository.hpp"
#include "model/rollout.hpp"

namespace unmask {
namespace {

class PipelineAnalyzer final : public Analyzer {
 public:
  PipelineAnalyzer(std::unique_ptr<DecoderPool> decoders, std::unique_ptr<FaceDetector> detector,
                   std::unique_ptr<Scorer> scorer, std::string label)
      : decoders_(std::move(decoders)),
        detector_(std::move(detector)),
        scorer_(std::move(scorer)),
        label_(std::move(label)) {
    software_.unmask = Version();
    software_.openvino = EngineVersion();
  }

  Result<Report> Analyze(const std::filesystem::path& file, const std::string& name,
                         const AnalysisOptions& options, ProgressSink* progress,
                         std::stop_token stop) override {
    if (auto valid = Validate(options); !valid) return tl::unexpected(valid.error());
    auto media = OpenMedia(file);
    if (!media) return tl::unexpected(media.error());
    auto report = RunPipeline({*decoders_, *detector_, *scorer_}, std::move(*media), name, options, progress,
                              std::move(stop));
    if (report) {
      report->model.label = label_;
      report->software.unmask = software_.unmask;
      report->software.openvino = software_.openvino;
    }
    return report;
  }

  const ModelCard& model() const override { return scorer_->card(); }
  const SoftwareFacts& software() const override { return software_; }

 private:
  std::unique_ptr<DecoderPool> decoders_;
  std::unique_ptr<FaceDetector> detector_;
  std::unique_ptr<Scorer> scorer_;
  const std::string label_;
  SoftwareFacts software_;
};

}  // namespace

Result<std::unique_ptr<Analyzer>> Analyzer::Create(AnalyzerConfig given) {
  const AnalyzerConfig config = WithDefaults(std::move(given));
  // Decoders first: they start while the network is compiled.
  auto decoders = DecoderPool::Create(config.decoder, MediaLimits{.decoder_wall = config.decode_timeout});
  if (!decoders) return tl::unexpected(decoders.error());
  auto card = ModelRepository(config.models).Find(config.model);
  if (!card) return tl::unexpected(card.error());
  if (auto engines = CheckEngines(ModelRepository(config.models), config.engines); !engines)
    return tl::unexpected(engines.error());
  const auto labels = RolloutFiles(config.models / card->name).Read();
  if (!labels) return tl::unexpected(labels.error());
  std::string label = LabelOf(*labels, card->version);
  auto scorer = LoadForRun(std::move(*card), NetworkOptionsOf(config));
  if (!scorer) return tl::unexpected(scorer.error());
  auto detector = MakeFaceDetector(
      {.folder = config.detectors, .yunet = config.yunet, .cache = *config.cache, .threads = config.threads});
  if (!detector) return tl::unexpected(detector.error());
  return std::make_unique<PipelineAnalyzer>(std::move(*decoders), std::move(*detector), std::move(*scorer),
                                            std::move(label));
}

}  // namespace unmask
