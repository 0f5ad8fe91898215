// SPDX-License-Identifier: Apache-2.0
#include "analysis/pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <opencv2/core.hpp>

#include "analysis/face_keeper.hpp"
#include "analysis/face_scores.hpp"
#include "analysis/limits.hpp"
#include "analysis/stability.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/stopwatch.hpp"
#include "face/crop.hpp"
#include "face/finder.hpp"
#include "face/geometry.hpp"
#include "face/letterbox.hpp"
#include "face/quality.hpp"
#include "face/tracker.hpp"
#include "face/upright.hpp"
#include "media/facts.hpp"

namespace unmask {
namespace {

constexpr double kDisplayMargin = 0.35;  // of the face box on each side: enough to recognise the person
constexpr int kDisplaySide = 256;        // pixels of the longer side of a face picture
constexpr int kWholeSide = 1280;         // pixels of the longer side of a whole-frame picture

/// Copies pixels, reduced so that the longer side is at most `side`.
std::shared_ptr<const Picture> CopyReduced(const cv::Mat& bgr, int side, double* scale = nullptr) {
  const double factor = std::min(1.0, static_cast<double>(side) / std::max(bgr.cols, bgr.rows));
  const cv::Size size(std::max(1, static_cast<int>(std::lround(bgr.cols * factor))),
                      std::max(1, static_cast<int>(std::lround(bgr.rows * factor))));
  auto picture = std::make_shared<Picture>();
  picture->width = size.width;
  picture->height = size.height;
  picture->bgr.resize(static_cast<std::size_t>(size.area()) * 3);
  cv::Mat target(size, CV_8UC3, picture->bgr.data());
  Shrink(bgr, size).copyTo(target);
  if (scale != nullptr) *scale = factor;
  return picture;
}

/// The face with a margin, and the part of the frame that this is.
FaceScores::Pictures DisplayFace(const cv::Mat& frame, const Box& box) {
  const double margin = kDisplayMargin * std::max(box.width, box.height);
  const cv::Rect around(static_cast<int>(std::floor(box.x - margin)),
                        static_cast<int>(std::floor(box.y - margin)),
                        static_cast<int>(std::ceil(box.width + 2 * margin)),
                        static_cast<int>(std::ceil(box.height + 2 * margin)));
  const cv::Rect visible = around & cv::Rect(0, 0, frame.cols, frame.rows);
  if (visible.empty()) return {};
  return {.face = CopyReduced(frame(visible), kDisplaySide), .face_region = ToBox(visible)};
}

// Picked frames may lie far apart. Few of them are each worth a thorough look.
constexpr std::size_t kFewPicks = 64;

/// How many frames a pick may give, and the longest time between two of them in seconds.
struct Spread {
  std::size_t frames = 0;
  double gap = 0;
};

Spread SpreadOf(const FramePick& pick, const MediaFacts& media) {
  const double frame_seconds = media.fps ? 1 / *media.fps : 0;
  Spread spread;
  std::int64_t gap = 0;
  if (pick.step > 0) {
    const std::int64_t frames =
        media.frames.value_or(media.kind == MediaKind::kImage ? 1 : FramePick::kMaxIndex);
    spread.frames = static_cast<std::size_t>((frames + pick.step - 1) / pick.step);
    gap = pick.step;
  } else {
    spread.frames = pick.indices.size();
    for (std::size_t i = 1; i < pick.indices.size(); ++i)
      gap = std::max(gap, pick.indices[i] - pick.indices[i - 1]);
  }
  spread.gap = static_cast<double>(gap) * frame_seconds;
  return spread;
}

/// What the model's networks see of a face.
std::vector<FaceScores::View> ViewsOf(const cv::Mat& bgr, const Face& face,
                                      const std::optional<UprightFace>& upright, const Scorer& scorer) {
  std::vector<FaceScores::View> views;
  const cv::Mat& picture = upright ? upright->picture : bgr;
  const Box& box = upright ? upright->face.box : face.box;
  for (const CropRule& rule : scorer.views()) {
    const cv::Rect seen = CropRect(box, rule);
    views.push_back({.crop = CropPixels(picture, seen),
                     .region = upright ? upright->InPicture(seen) : ToBox(seen),
                     .roll = upright ? upright->roll : 0});
  }
  return views;
}

/// One file on its way through the stages.
class Run {
 public:
  Run(const Stages& stages, const AnalysisOptions& options, ProgressSink* progress, std::stop_token stop)
      : stages_(stages),
        options_(options),
        progress_(progress),
        stop_(std::move(stop)),
        finder_(std::in_place, stages.detector),
        scores_(stages.scorer, options.stability, stop_) {
    if (progress_ != nullptr && options.keep_faces > 0)
      keeper_.emplace(static_cast<std::size_t>(options.keep_faces));
  }

  Result<Report> Analyze(OpenedMedia media, const std::string& name);

 private:
  SamplePlan Plan();
  Result<FramePick> Pick(const MediaInfo& info);
  void LearnMedia(const MediaInfo& info);
  Result<void> Frames(FrameStream& stream);
  Result<void> OneFrame(const Frame& frame);
  Result<void> Judge();
  void Tell(double done);

  const Stages& stages_;
  const AnalysisOptions& options_;
  ProgressSink* progress_;
  std::stop_token stop_;
  std::optional<FaceFinder> finder_;
  Tracker tracker_{{}};
  FaceScores scores_;
  std::optional<FaceKeeper> keeper_;
  Report report_;
  bool many_faces_ = false;
  int face_frames_ = 0;
  double told_ = 0;
};

Result<Report> Run::Analyze(OpenedMedia media, const std::string& name) {
  const Stopwatch watch(media.begun);
  report_.options = options_;
  report_.options.pick = nullptr;  // a report is a plain value
  report_.options.keep_faces = 0;  // they are not in it
  report_.detector = stages_.detector.name();
  report_.media = {.name = name, .sha256 = std::move(media.sha256), .bytes = media.bytes};
  auto stream = FrameStream::Open(stages_.decoders, std::move(media.fd), Plan(), stop_);
  if (!stream) return tl::unexpected(stream.error());
  if (options_.mode != SampleMode::kPicked) LearnMedia((*stream)->info());
  if (auto ran = Frames(**stream); !ran) return tl::unexpected(ran.error());

  const DecodeSummary& summary = (*stream)->summary();
  report_.sampling.mode = options_.mode;
  report_.sampling.fps = summary.used_fps;
  report_.sampling.frames_decoded = summary.frames_decoded;
  report_.sampling.decode_errors = summary.decode_errors;
  report_.software.libavcodec = summary.decoder_version;
  auto faces = scores_.Finish();
  if (!faces) return tl::unexpected(faces.error());
  report_.faces = std::move(*faces);
  if (auto judged = Judge(); !judged) return tl::unexpected(judged.error());
  if (keeper_)
    progress_->OnFaces({.crop = stages_.scorer.views().front(),
                        .detector = report_.detector,
                        .faces = keeper_->Take(report_.tracks)});
  report_.limits = LimitsOf(report_, stages_.scorer.card());
  if (summary.decode_errors > 0) report_.reasons.push_back(Reason::kDecodeErrors);
  if (summary.truncated) report_.reasons.push_back(Reason::kTruncated);
  report_.timing_ms.score = scores_.waited_ms();
  report_.timing_ms.total = watch.ms();
  Tell(1);
  return std::move(report_);
}

SamplePlan Run::Plan() {
  SamplePlan plan{.mode = options_.mode, .fps = options_.fps, .max_frames = options_.max_frames};
  if (options_.mode == SampleMode::kPicked) plan.pick = [this](const MediaInfo& info) { return Pick(info); };
  return plan;
}

void Run::LearnMedia(const MediaInfo& info) {
  Describe(info, report_.media);
  if (progress_ != nullptr) progress_->OnMedia(report_.media);
}

Result<FramePick> Run::Pick(const MediaInfo& info) {
  LearnMedia(info);
  auto pick = options_.pick(report_.media);
  if (!pick) return pick;
  const Spread spread = SpreadOf(*pick, report_.media);
  if (spread.frames <= kFewPicks)
    finder_.emplace(stages_.detector, FaceFinder::Options{.thorough_interval = 0});
  const Tracker::Options usual;
  tracker_ = Tracker({.max_gap = std::max(usual.max_gap, 1.05 * spread.gap)});
  return pick;
}

Result<void> Run::Frames(FrameStream& stream) {
  for (;;) {
    if (stop_.stop_requested()) return Fail(ErrorCode::kCancelled, "the analysis was cancelled");
    const Stopwatch watch;
    auto frame = stream.Next();
    report_.timing_ms.decode += watch.ms();
    if (!frame) return tl::unexpected(frame.error());
    if (!*frame) return {};
    if (auto done = OneFrame(**frame); !done) return done;
    if (options_.max_face_frames > 0 && face_frames_ >= options_.max_face_frames) return {};
    Tell(0.98 * stream.progress());  // the last faces are still to be scored
  }
}

Result<void> Run::OneFrame(const Frame& frame) {
  const Stopwatch watch;
  ++report_.sampling.frames_analysed;
  std::vector<Face> found = finder_->Find(frame.time, frame.bgr, tracker_);
  report_.sampling.faces_found += static_cast<std::int64_t>(found.size());
  const auto limit = static_cast<std::size_t>(JudgeOptions{}.max_faces_per_frame);
  if (found.size() > limit) {
    many_faces_ = true;
    found.resize(limit);
  }
  face_frames_ += found.empty() ? 0 : 1;
  report_.frames.push_back({frame.index, frame.time, static_cast<int>(found.size())});
  const std::vector<int> tracks = tracker_.Update(frame.time, found);

  std::shared_ptr<const Picture> whole;
  double whole_scale = 1;
  if (options_.keep_frames && !found.empty()) whole = CopyReduced(frame.bgr, kWholeSide, &whole_scale);
  for (std::size_t i = 0; i < found.size(); ++i) {
    FaceReport face{.track = tracks[i],
                    .frame = frame.index,
                    .time = frame.time,
                    .box = found[i].box,
                    .detector_score = found[i].score};
    face.quality = MeasureQuality(frame.bgr, found[i]);
    face.used = std::all_of(face.quality.codes.begin(), face.quality.codes.end(),
                            [](const auto& code) { return code == "profile"; });
    FaceScores::Pictures pictures = DisplayFace(frame.bgr, face.box);
    pictures.whole = whole;
    pictures.whole_scale = whole_scale;
    if (keeper_) {
      // As it lies in the picture, turned or not; of an ensemble the first member's square.
      const cv::Rect kept = CropRect(face.box, stages_.scorer.views().front());
      keeper_->Add(face, found[i], kept, CropPixels(frame.bgr, kept));
    }
    const auto upright =
        TurnUpright(frame.bgr, found[i], stages_.detector,
                    report_.media.kind == MediaKind::kImage ? Effort::kThorough : Effort::kQuick);
    face.quality.roll = upright ? std::remainder(upright->roll, 360) : RollOf(found[i]);
    const auto views = ViewsOf(frame.bgr, found[i], upright, stages_.scorer);
    if (auto added = scores_.Add(std::move(face), views, std::move(pictures)); !added) return added;
  }
  report_.timing_ms.find += watch.ms();
  if (progress_ != nullptr) progress_->OnFrame(report_.frames.back(), report_.sampling.frames_analysed);
  return {};
}

Result<void> Run::Judge() {
  const ModelCard& card = stages_.scorer.card();
  report_.model = FactsOf(card);
  JudgeReport(report_, PointsOf(card));
  for (TrackReport& track : report_.tracks) {
    const auto& pictures = scores_.BestOf(track.id);
    track.best.face = pictures.face;
    track.best.face_region = pictures.face_region;
    track.best.heat = pictures.heat;
    track.best.whole = pictures.whole;
    track.best.whole_scale = pictures.whole_scale;
  }
  if (options_.stability) {
    const Stopwatch watch;
    if (auto checked = CheckStability(report_, scores_, stages_.scorer, stop_); !checked) return checked;
    report_.timing_ms.stability = watch.ms();
  }
  if (many_faces_ &&
      std::find(report_.reasons.begin(), report_.reasons.end(), Reason::kManyFaces) == report_.reasons.end())
    report_.reasons.push_back(Reason::kManyFaces);
  return {};
}

void Run::Tell(double done) {
  done = std::clamp(done, told_, 1.0);
  if (progress_ == nullptr || (done < 1 && done - told_ < 0.01)) return;
  told_ = done;
  progress_->OnProgress(done);
}

}  // namespace

Result<OpenedMedia> OpenMedia(const std::filesystem::path& file) {
  OpenedMedia media{.begun = std::chrono::steady_clock::now()};
  auto fd = OpenForReading(file);
  if (!fd) return tl::unexpected(fd.error());
  media.fd = std::move(*fd);
  const auto bytes = FileSize(media.fd.get());
  if (!bytes) return tl::unexpected(bytes.error());
  media.bytes = *bytes;
  auto sha256 = Sha256OfFile(media.fd.get());
  if (!sha256) return tl::unexpected(sha256.error());
  media.sha256 = std::move(*sha256);
  return media;
}

Result<Report> RunPipeline(const Stages& stages, OpenedMedia media, const std::string& name,
                           const AnalysisOptions& options, ProgressSink* progress, std::stop_token stop) {
  return Run(stages, options, progress, std::move(stop)).Analyze(std::move(media), name);
}

}  // namespace unmask
