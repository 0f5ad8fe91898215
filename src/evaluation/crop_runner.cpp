// SPDX-License-Identifier: Apache-2.0
#include "evaluation/crop_runner.hpp"

#include <mutex>

#include "base/file.hpp"
#include "evaluation/crops.hpp"
#include "evaluation/sample_files.hpp"

namespace unmask {
namespace {

Result<cv::Mat> DecodeStill(DecoderPool& decoders, const SampleFile& sample, std::stop_token stop) {
  auto file = OpenForReading(sample.path());
  if (!file) return tl::unexpected(file.error());
  auto stream = FrameStream::Open(decoders, std::move(*file), {.max_frames = 1}, std::move(stop));
  if (!stream) return tl::unexpected(stream.error());
  if ((*stream)->info().kind != MediaKind::kImage)
    return Fail(ErrorCode::kUnsupportedMedia, "is a video, expected a still picture of a face",
                "use --input media");
  auto frame = (*stream)->Next();
  if (!frame) return tl::unexpected(frame.error());
  if (!*frame) return Fail(ErrorCode::kUndecodable, "has no picture");
  return (*frame)->bgr.clone();
}

class Run {
 public:
  Run(std::span<const Sample> samples, DecoderPool& decoders, const Scorer& scorer,
      std::span<const Variant> variants, const CropRunOptions& options, const OnSample& on_sample,
      std::stop_token stop)
      : samples_(samples),
        decoders_(decoders),
        scorer_(scorer),
        variants_(variants),
        options_(options),
        on_sample_(on_sample),
        stop_(std::move(stop)),
        files_(samples, std::filesystem::temp_directory_path(), decoders.limits().max_bytes),
        passes_(StartPasses(samples.size(), variants)) {}

  Result<std::vector<Pass>> Execute() {
    files_.ForEach(options_.jobs, stop_, [this](const SampleFiles::Item& item) {
      const auto done = OneSample(item);
      if (!done) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = done.error();
      }
      on_sample_(samples_[item.index]);
      return done.has_value();
    });
    if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "the evaluation was cancelled");
    if (failure_) return tl::unexpected(*failure_);
    return std::move(passes_);
  }

 private:
  /// Fails when the network does: what is wrong with the sample is its outcome.
  Result<void> OneSample(const SampleFiles::Item& item) {
    const auto picture = item.file ? DecodeStill(decoders_, *item.file, stop_)
                                   : Result<cv::Mat>(tl::unexpected(item.file.error()));
    for (std::size_t pass = 0; pass < passes_.size(); ++pass) {
      SampleOutcome& outcome = passes_[pass].outcomes[item.index];
      if (!picture) {
        outcome.error = picture.error();
        continue;
      }
      const auto changed =
          pass == 0 ? Result<cv::Mat>(*picture) : variants_[pass - 1].apply(*picture, item.index);
      if (!changed) {
        outcome.error = changed.error();
        continue;
      }
      const auto report = AnalyzeCrop(*changed, scorer_, options_.margin, options_.stability);
      if (!report) return tl::unexpected(report.error());
      outcome = ToOutcome(*report);
    }
    return {};
  }

  const std::span<const Sample> samples_;
  DecoderPool& decoders_;
  const Scorer& scorer_;
  const std::span<const Variant> variants_;
  const CropRunOptions& options_;
  const OnSample& on_sample_;
  const std::stop_token stop_;
  SampleFiles files_;
  std::vector<Pass> passes_;  // each thread writes the outcomes of its own samples
  std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::vector<Pass>> RunCrops(std::span<const Sample> samples, DecoderPool& decoders,
                                   const Scorer& scorer, std::span<const Variant> variants,
                                   const CropRunOptions& options, const OnSample& on_sample,
                                   std::stop_token stop) {
  return Run(samples, decoders, scorer, variants, options, on_sample, std::move(stop)).Execute();
}

}  // namespace unmask
