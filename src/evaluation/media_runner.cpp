// SPDX-License-Identifier: Apache-2.0
#include "evaluation/media_runner.hpp"

#include <algorithm>

#include "base/file.hpp"
#include "evaluation/sample_files.hpp"
#include "media/degrade/h264.hpp"
#include "render/picture_io.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

/// The sampled frames of one file under one variant, as a file of their own.
class DegradedFile {
 public:
  static Result<DegradedFile> Create(const fs::path& folder, MediaKind kind) {
    auto file = PrivateFile::Create(folder);
    if (!file) return tl::unexpected(file.error());
    DegradedFile result(std::move(*file));
    if (kind == MediaKind::kImage) return result;
    auto clip = WriteLosslessClip(result.path());
    if (!clip) return tl::unexpected(clip.error());
    result.clip_ = std::move(*clip);
    return result;
  }

  fs::path path() const { return file_.path(); }

  Result<void> Add(const cv::Mat& bgr, double time) {
    if (clip_) return clip_->Add(bgr, time);
    const cv::Mat packed = bgr.isContinuous() ? bgr : bgr.clone();
    const auto png = EncodePng({.width = packed.cols,
                                .height = packed.rows,
                                .bgr = {packed.data, packed.data + packed.total() * packed.elemSize()}});
    if (!png) return tl::unexpected(png.error());
    return file_.Append({png->data(), png->size()});
  }

  Result<void> Finish() {
    auto finished = clip_ ? clip_->Finish() : Result<void>();
    clip_.reset();
    return finished;
  }

 private:
  explicit DegradedFile(PrivateFile file) : file_(std::move(file)) {}
  PrivateFile file_;
  std::unique_ptr<LosslessClip> clip_;
};

class Run {
 public:
  Run(std::span<const Sample> samples, Analyzer& analyzer, DecoderPool& decoders,
      std::span<const Variant> variants, const MediaRunOptions& options, const OnSample& on_sample,
      std::stop_token stop)
      : samples_(samples),
        analyzer_(analyzer),
        decoders_(decoders),
        variants_(variants),
        options_(options),
        on_sample_(on_sample),
        stop_(std::move(stop)),
        files_(samples, folder_, decoders.limits().max_bytes),
        passes_(StartPasses(samples.size(), variants)) {}

  Result<std::vector<Pass>> Execute() {
    files_.ForEach(options_.jobs, stop_, [this](const SampleFiles::Item& item) {
      OneSample(item);
      on_sample_(samples_[item.index]);
      return true;
    });
    if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "the evaluation was cancelled");
    return std::move(passes_);
  }

 private:
  void OneSample(const SampleFiles::Item& item) {
    const auto fail = [&](std::size_t first_pass, const Error& error) {
      for (std::size_t pass = first_pass; pass < passes_.size(); ++pass)
        passes_[pass].outcomes[item.index].error = error;
    };
    if (!item.file) return fail(0, item.file.error());
    const auto report =
        analyzer_.Analyze(item.file->path(), samples_[item.index].name, options_.analysis, nullptr, stop_);
    if (!report) return fail(0, report.error());
    passes_[0].outcomes[item.index] = ToOutcome(*report);
    if (variants_.empty()) return;

    auto degraded = DegradeFrames(item, *report);
    if (!degraded) return fail(1, degraded.error());
    AnalysisOptions options = options_.analysis;
    options.mode = SampleMode::kFps;
    // A long clip was sampled more thinly than asked for: the same frames again, and no fewer.
    if (report->media.kind == MediaKind::kVideo) options.fps = std::clamp(report->sampling.fps, 0.01, 60.0);
    for (std::size_t v = 0; v < variants_.size(); ++v) {
      SampleOutcome& outcome = passes_[v + 1].outcomes[item.index];
      auto& file = (*degraded)[v];
      if (!file) {
        outcome.error = file.error();
        continue;
      }
      const auto again = analyzer_.Analyze(file->path(), samples_[item.index].name, options, nullptr, stop_);
      if (again)
        outcome = ToOutcome(*again);
      else
        outcome.error = again.error();
    }
  }

  /// One file for each variant, written frame by frame as they are decoded.
  Result<std::vector<Result<DegradedFile>>> DegradeFrames(const SampleFiles::Item& item,
                                                          const Report& report) {
    auto opened = OpenForReading(item.file->path());
    if (!opened) return tl::unexpected(opened.error());
    const SamplePlan plan{.mode = options_.analysis.mode,
                          .fps = options_.analysis.fps,
                          .max_frames = options_.analysis.max_frames};
    auto stream = FrameStream::Open(decoders_, std::move(*opened), plan, stop_);
    if (!stream) return tl::unexpected(stream.error());
    std::vector<Result<DegradedFile>> files;
    for (std::size_t v = 0; v < variants_.size(); ++v)
      files.push_back(DegradedFile::Create(folder_, report.media.kind));
    for (bool first = true;; first = false) {
      auto frame = (*stream)->Next();
      if (!frame) return tl::unexpected(frame.error());
      if (!*frame) break;
      // A clip begins at 0, else its times would be counted from its first frame on.
      const double time = first ? 0 : (*frame)->time;
      for (std::size_t v = 0; v < variants_.size(); ++v) {
        if (!files[v]) continue;
        const auto changed = variants_[v].apply((*frame)->bgr, item.index);
        auto added = changed ? files[v]->Add(*changed, time) : Result<void>(tl::unexpected(changed.error()));
        if (!added) files[v] = tl::unexpected(added.error());
      }
    }
    for (auto& file : files)
      if (file)
        if (auto finished = file->Finish(); !finished) file = tl::unexpected(finished.error());
    return files;
  }

  const std::span<const Sample> samples_;
  Analyzer& analyzer_;
  DecoderPool& decoders_;
  const std::span<const Variant> variants_;
  const MediaRunOptions& options_;
  const OnSample& on_sample_;
  const std::stop_token stop_;
  const fs::path folder_ = fs::temp_directory_path();
  SampleFiles files_;
  std::vector<Pass> passes_;  // each thread writes the outcomes of its own samples
};

}  // namespace

Result<std::vector<Pass>> RunMedia(std::span<const Sample> samples, Analyzer& analyzer, DecoderPool& decoders,
                                   std::span<const Variant> variants, const MediaRunOptions& options,
                                   const OnSample& on_sample, std::stop_token stop) {
  return Run(samples, analyzer, decoders, variants, options, on_sample, std::move(stop)).Execute();
}

}  // namespace unmask
