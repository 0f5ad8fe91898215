// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/engine.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/stopwatch.hpp"
#include "base/version.hpp"
#include "media/facts.hpp"
#include "model/network.hpp"

namespace unmask::compat {
namespace {

struct Parts {
  std::shared_ptr<DecoderPool> decoders;
  std::shared_ptr<FaceScorer> scorer;
  std::unique_ptr<Steps> steps;
  bool real_scores = false;
};

/// One file on its way.
class Run {
 public:
  Run(const Parts& parts, const AnalysisOptions& options, ProgressSink* progress, std::stop_token stop)
      : parts_(parts), steps_(*parts.steps), options_(options), progress_(progress), stop_(std::move(stop)) {
    crops_.height = static_cast<std::size_t>(steps_.input().height);
    crops_.width = static_cast<std::size_t>(steps_.input().width);
  }

  Result<Report> Analyze(const std::filesystem::path& file, const std::string& name);

 private:
  using OnFrame = Result<void> (Run::*)(const Frame&, const MediaInfo&);

  Result<std::unique_ptr<FrameStream>> Open(const std::filesystem::path& file, SamplePlan plan);
  Result<void> Read(FrameStream& stream, OnFrame on_frame);
  Result<void> FindFace(const Frame& frame, const MediaInfo& media);
  Result<void> TakeMiddle(const Frame& frame, const MediaInfo& media);
  Result<void> Fallback(const std::filesystem::path& file);
  Result<void> Add(const Frame& frame, double time, const Region& region, const MediaInfo& media);
  Result<void> ScoreCrops();
  void LearnMedia(const MediaInfo& info);
  void Tell(double done);

  const Parts& parts_;
  const Steps& steps_;
  const AnalysisOptions& options_;
  ProgressSink* progress_;
  const std::stop_token stop_;
  Report report_;
  CropBatch crops_;  // of the last crops_.count faces of the report
  int face_frames_ = 0;
  bool truncated_ = false;
  double told_ = 0;
};

Result<Report> Run::Analyze(const std::filesystem::path& file, const std::string& name) {
  const Stopwatch watch;
  report_.options = options_;
  report_.options.pick = nullptr;  // a report is a plain value
  report_.options.stability = false;
  report_.media.name = name;
  {
    const auto fd = OpenForReading(file);
    if (!fd) return tl::unexpected(fd.error());
    const auto bytes = FileSize(fd->get());
    if (!bytes) return tl::unexpected(bytes.error());
    auto sha256 = Sha256OfFile(fd->get());
    if (!sha256) return tl::unexpected(sha256.error());
    report_.media.bytes = *bytes;
    report_.media.sha256 = std::move(*sha256);
  }
  SamplePlan plan{
      .mode = options_.mode, .fps = options_.fps, .max_frames = options_.max_frames, .turn = steps_.turn()};
  plan.pick = [this](const MediaInfo& info) {
    LearnMedia(info);
    return options_.pick(report_.media);
  };
  const auto stream = Open(file, plan);
  if (!stream) return tl::unexpected(stream.error());
  if (options_.mode != SampleMode::kPicked) LearnMedia((*stream)->info());
  if (auto read = Read(**stream, &Run::FindFace); !read) return tl::unexpected(read.error());
  report_.sampling.mode = options_.mode;
  report_.sampling.fps = (*stream)->summary().used_fps;
  if (report_.faces.empty())
    if (auto fallen = Fallback(file); !fallen) return tl::unexpected(fallen.error());
  if (auto scored = ScoreCrops(); !scored) return tl::unexpected(scored.error());

  report_.verdict = Verdict::kInconclusive;
  if (report_.faces.empty()) report_.reasons.push_back(Reason::kNoFace);
  report_.reasons.push_back(Reason::kNotCalibrated);
  if (report_.sampling.decode_errors > 0) report_.reasons.push_back(Reason::kDecodeErrors);
  if (truncated_) report_.reasons.push_back(Reason::kTruncated);
  if (report_.detector.empty()) report_.detector = steps_.finder();
  report_.model = parts_.scorer->facts();
  report_.timing_ms.total = watch.ms();
  Tell(1);
  return std::move(report_);
}

Result<std::unique_ptr<FrameStream>> Run::Open(const std::filesystem::path& file, SamplePlan plan) {
  auto fd = OpenForReading(file);
  if (!fd) return tl::unexpected(fd.error());
  return FrameStream::Open(*parts_.decoders, std::move(*fd), plan, stop_);
}

Result<void> Run::Read(FrameStream& stream, OnFrame on_frame) {
  for (;;) {
    if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "the analysis was cancelled");
    const Stopwatch watch;
    auto frame = stream.Next();
    report_.timing_ms.decode += watch.ms();
    if (!frame) return tl::unexpected(frame.error());
    if (!*frame) break;
    if (auto done = (this->*on_frame)(**frame, stream.info()); !done) return done;
    if (options_.max_face_frames > 0 && face_frames_ >= options_.max_face_frames) break;
    Tell(0.98 * stream.progress());
  }
  const DecodeSummary& summary = stream.summary();
  report_.sampling.frames_decoded += summary.frames_decoded;
  report_.sampling.decode_errors += summary.decode_errors;
  report_.software.libavcodec = summary.decoder_version;
  truncated_ = truncated_ || summary.truncated;
  return {};
}

Result<void> Run::FindFace(const Frame& frame, const MediaInfo& media) {
  const Stopwatch watch;
  ++report_.sampling.frames_analysed;
  const auto found = options_.whole_picture ? Result<std::optional<Region>>(WholeFrame(frame.bgr))
                                            : steps_.Find(frame.bgr, options_);
  if (!found) return tl::unexpected(found.error());
  const bool is_face = *found && !options_.whole_picture;
  report_.sampling.faces_found += is_face ? 1 : 0;
  report_.frames.push_back({frame.index, frame.time, is_face ? 1 : 0});
  report_.timing_ms.find += watch.ms();
  if (*found) {
    ++face_frames_;
    if (auto added = Add(frame, frame.time, **found, media); !added) return added;
  }
  if (progress_ != nullptr) progress_->OnFrame(report_.frames.back(), report_.sampling.frames_analysed);
  return {};
}

/// The contract's rule for media without any face.
Result<void> Run::Fallback(const std::filesystem::path& file) {
  FramePick pick{.indices = steps_.Fallback(report_.media)};
  if (options_.whole_picture || pick.indices.empty()) return {};
  SamplePlan plan{.mode = SampleMode::kPicked,
                  .max_frames = static_cast<int>(FramePick::kMaxIndices),
                  .turn = steps_.turn()};
  plan.pick = [&pick](const MediaInfo&) { return pick; };
  const auto stream = Open(file, plan);
  if (!stream) return tl::unexpected(stream.error());
  return Read(**stream, &Run::TakeMiddle);
}

Result<void> Run::TakeMiddle(const Frame& frame, const MediaInfo& media) {
  const auto at =
      std::lower_bound(report_.frames.begin(), report_.frames.end(), frame.index,
                       [](const FrameReport& one, std::int64_t index) { return one.index < index; });
  if (at == report_.frames.end() || at->index != frame.index)
    report_.frames.insert(at, {frame.index, frame.time, 0});
  return Add(frame, steps_.FallbackTime(report_.media, frame.index), {.rect = MiddleSquare(frame.bgr.size())},
             media);
}

Result<void> Run::Add(const Frame& frame, double time, const Region& region, const MediaInfo& media) {
  const cv::Rect& rect = region.rect;
  report_.faces.push_back({.frame = frame.index,
                           .time = time,
                           .box = {static_cast<double>(rect.x), static_cast<double>(rect.y),
                                   static_cast<double>(rect.width), static_cast<double>(rect.height)},
                           .detector_score = region.score,
                           .used = true});
  if (report_.detector.find(region.finder) == std::string::npos)
    report_.detector += (report_.detector.empty() ? "" : ", ") + std::string(region.finder);
  const std::size_t length = crops_.height * crops_.width * 3;
  crops_.values.resize((crops_.count + 1) * length);
  steps_.Prepare(frame.bgr(rect), media, std::span(crops_.values).last(length));
  ++crops_.count;
  return crops_.count == parts_.scorer->batch() ? ScoreCrops() : Result<void>();
}

Result<void> Run::ScoreCrops() {
  if (crops_.count == 0) return {};
  const Stopwatch watch;
  const auto scores = parts_.scorer->Score(crops_, stop_);
  if (!scores) return tl::unexpected(scores.error());
  auto face = report_.faces.end() - static_cast<std::ptrdiff_t>(crops_.count);
  for (const float score : *scores) {
    const auto wide = static_cast<double>(score);
    (face++)->score = parts_.real_scores ? 1 - wide : wide;
  }
  crops_.count = 0;
  crops_.values.clear();
  report_.timing_ms.score += watch.ms();
  return {};
}

void Run::LearnMedia(const MediaInfo& info) {
  Describe(info, report_.media);
  if (progress_ != nullptr) progress_->OnMedia(report_.media);
}

void Run::Tell(double done) {
  done = std::clamp(done, told_, 1.0);
  if (progress_ == nullptr || (done < 1 && done - told_ < 0.01)) return;
  told_ = done;
  progress_->OnProgress(done);
}

class FaithfulEngine final : public Analyzer {
 public:
  explicit FaithfulEngine(Parts parts) : parts_(std::move(parts)) {
    const ModelFacts facts = parts_.scorer->facts();
    card_.name = facts.name;
    card_.version = facts.version;
    card_.sha256 = facts.sha256;
    software_.unmask = Version();
    software_.openvino = EngineVersion();
  }

  Result<Report> Analyze(const std::filesystem::path& file, const std::string& name,
                         const AnalysisOptions& options, ProgressSink* progress,
                         std::stop_token stop) override {
    if (auto valid = Validate(options); !valid) return tl::unexpected(valid.error());
    auto report = Run(parts_, options, progress, std::move(stop)).Analyze(file, name);
    if (report) {
      report->software.unmask = software_.unmask;
      report->software.openvino = software_.openvino;
    }
    return report;
  }

  const ModelCard& model() const override { return card_; }
  const SoftwareFacts& software() const override { return software_; }

 private:
  const Parts parts_;
  ModelCard card_;
  SoftwareFacts software_;
};

}  // namespace

cv::Rect MiddleSquare(cv::Size size) {
  const int side = std::min(size.width, size.height);
  return {(size.width - side) / 2, (size.height - side) / 2, side, side};
}

std::shared_ptr<Analyzer> MakeFaithfulEngine(std::shared_ptr<DecoderPool> decoders,
                                             std::shared_ptr<FaceScorer> scorer, std::unique_ptr<Steps> steps,
                                             bool real_scores) {
  return std::make_shared<FaithfulEngine>(
      Parts{std::move(decoders), std::move(scorer), std::move(steps), real_scores});
}

}  // namespace unmask::compat
