// SPDX-License-Identifier: Apache-2.0
#include "evaluation/crop_runner.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <thread>

#include "base/file.hpp"
#include "evaluation/crops.hpp"
#include "evaluation/sample_files.hpp"
#include "face/crop.hpp"

namespace unmask {
namespace {

constexpr std::size_t kBatch = 4;    // samples that are computed together
constexpr std::size_t kPending = 2;  // batches of one thread in flight while it decodes

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

/// Faces of one batch under one variant (or none), on their way through the network.
struct Scoring {
  std::size_t pass = 0;
  std::vector<std::size_t> samples;
  std::vector<FaceReport> faces;
  std::vector<cv::Mat> prepared;
  std::future<Result<std::vector<FaceScore>>> scores;
};

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
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    const auto jobs = options_.jobs > 0 ? static_cast<unsigned>(options_.jobs) : cores;
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < jobs; ++i) threads.emplace_back([this] { Work(); });
    }
    if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "the evaluation was cancelled");
    if (failure_) return tl::unexpected(*failure_);
    return std::move(passes_);
  }

 private:
  void Work() {
    std::deque<std::vector<Scoring>> pending;
    for (;;) {
      if (stop_.stop_requested() || Failed()) break;
      const auto items = files_.Take(kBatch);
      if (items.empty()) break;
      pending.push_back(Start(items));
      if (pending.size() > kPending) Finish(pending);
    }
    while (!pending.empty()) Finish(pending);
  }

  /// Decodes and degrades a batch, and hands it to the network.
  std::vector<Scoring> Start(const std::vector<SampleFiles::Item>& items) {
    std::vector<Scoring> scorings(passes_.size());
    for (std::size_t pass = 0; pass < scorings.size(); ++pass) scorings[pass].pass = pass;
    for (const SampleFiles::Item& item : items) {
      const auto picture = item.file ? DecodeStill(decoders_, *item.file, stop_)
                                     : Result<cv::Mat>(tl::unexpected(item.file.error()));
      if (!picture) {
        for (Pass& pass : passes_) pass.outcomes[item.index].error = picture.error();
      } else {
        Add(scorings[0], item.index, *picture);
        for (std::size_t v = 0; v < variants_.size(); ++v) {
          const auto degraded = variants_[v].apply(*picture, item.index);
          if (degraded)
            Add(scorings[v + 1], item.index, *degraded);
          else
            passes_[v + 1].outcomes[item.index].error = degraded.error();
        }
      }
      on_sample_(samples_[item.index]);
    }
    for (Scoring& scoring : scorings) scoring.scores = scorer_.Start(scoring.prepared);
    return scorings;
  }

  void Add(Scoring& scoring, std::size_t index, const cv::Mat& picture) const {
    scoring.samples.push_back(index);
    scoring.faces.push_back(MeasureCrop(picture, options_.margin));
    const cv::Rect rect = RectOfCrop(picture.cols, picture.rows, options_.margin, scorer_.card().crop);
    scoring.prepared.push_back(scorer_.Prepare(CropPixels(picture, rect)));
  }

  void Finish(std::deque<std::vector<Scoring>>& pending) {
    for (Scoring& scoring : pending.front()) {
      const auto scores = scoring.scores.get();
      if (!scores) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = scores.error();
        continue;
      }
      for (std::size_t i = 0; i < scoring.samples.size(); ++i) {
        FaceReport& face = scoring.faces[i];
        face.logit = static_cast<double>((*scores)[i].logit);
        face.score = scorer_.Calibrate(*face.logit);
        passes_[scoring.pass].outcomes[scoring.samples[i]] =
            ToOutcome(JudgeCrop(std::move(face), scorer_.card()));
      }
    }
    pending.pop_front();
  }

  bool Failed() {
    const std::lock_guard lock(mutex_);
    return failure_.has_value();
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
