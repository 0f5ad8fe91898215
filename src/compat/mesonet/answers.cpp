// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/answers.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compat/facts.hpp"
#include "compat/fast_api.hpp"
#include "compat/known_media.hpp"
#include "compat/main_faces.hpp"
#include "compat/mesonet/sampling.hpp"
#include "compat/numpy_mean.hpp"
#include "compat/python.hpp"
#include "compat/score_mapping.hpp"
#include "compat/video_frames.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;

constexpr const char* kNoFrames = "Video has no frames";
constexpr const char* kCannotOpen = "Could not open video file";
constexpr const char* kNoFaces = "No faces detected in video";

/// P(real) of each frame with a face.
std::vector<double> Scores(const ContractContext& context, const Report& report) {
  const double manipulated = report.model.thresholds.manipulated;
  std::vector<double> scores;
  for (const FaceReport* face : MainFaces(report))
    scores.push_back(Widen(context.faithful ? InServiceDirection(*face->score, kMesonetRule)
                                            : ToServiceScore(*face->score, manipulated, kMesonetRule)));
  return scores;
}

/// Of the faithful engine the mean, as in the original. Ours is that of the person who decides the verdict,
/// calibrated for so many faces.
double VideoScore(const ContractContext& context, const Report& report, const std::vector<double>& scores) {
  if (context.faithful || !report.score) return NumpyMean(std::span<const double>(scores));
  return Widen(ToServiceScore(*report.score, report.thresholds.manipulated, kMesonetRule));
}

double ProcessingTime(const AnalysisRecord& record) {
  return std::max(0.0, record.finished - record.started);
}

ordered_json Stats(const AnalysisRecord& record, const MesonetRun& run, std::size_t faces) {
  return {{"frames_processed", run.requested},         {"faces_detected", faces},
          {"processing_time", ProcessingTime(record)}, {"video_duration", run.duration},
          {"total_frames", run.total_frames},          {"fps", run.fps}};
}

/// What the original's README promises and its code does not give.
void AddReadmeKeys(ordered_json& body, const AnalysisRecord& record, const MesonetRun& run,
                   const std::vector<double>& scores) {
  const auto suspicious =
      std::count_if(scores.begin(), scores.end(), [](double real) { return real <= 0.5; });
  body["faces_detected"] = scores.size();
  body["processing_time"] = fmt::format("{:.1f}s", ProcessingTime(record));
  body["frame_analysis"] = {{"total_frames", run.requested}, {"suspicious_frames", suspicious}};
}

}  // namespace

double UnixTime() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

AnalysisOptions MesonetOptions(std::shared_ptr<MesonetRun> run) {
  AnalysisOptions options;
  options.mode = SampleMode::kPicked;
  options.pick = [run = std::move(run)](const MediaFacts& media) -> Result<FramePick> {
    if (auto known = CheckOriginalsRead(media); !known) return tl::unexpected(known.error());
    run->total_frames = CountFrames(media);
    if (run->total_frames <= 0) return Fail(ErrorCode::kUndecodable, kNoFrames);
    run->fps = media.fps.value_or(0);
    run->duration = run->fps > 0 ? static_cast<double>(run->total_frames) / run->fps : 0;
    FramePick pick{.indices = MesonetFrames(run->total_frames)};
    run->requested = static_cast<std::int64_t>(pick.indices.size());
    return pick;
  };
  return options;
}

ordered_json MesonetResult(const ContractContext& context, const AnalysisRecord& record, const Report& report,
                           const MesonetRun& run, const MesonetEnvelope& envelope) {
  const auto scores = Scores(context, report);
  ordered_json stats = Stats(record, run, scores.size());
  ordered_json body;
  if (scores.empty()) {
    body["error"] = kNoFaces;
    body["processing_stats"] = std::move(stats);
    body["timestamp"] = UnixTime();
    body["unmask"] = UnmaskFacts(context, record, report);
    return body;
  }
  const double seconds = ProcessingTime(record);
  stats["faces_per_second"] = seconds > 0 ? static_cast<double>(scores.size()) / seconds : 0.0;
  const double real = VideoScore(context, report, scores);
  const bool is_fake = real <= kMesonetRule.threshold;
  const bool lower = context.settings->mesonet_readme_labels;
  if (envelope.filename) body["filename"] = *envelope.filename;
  body["prediction"] = is_fake ? (lower ? "deepfake" : "DeepFake") : (lower ? "real" : "Real");
  body["confidence"] = is_fake ? 1 - real : real;
  body["num_faces_processed"] = scores.size();
  body["individual_scores"] = scores;
  body["avg_score"] = real;
  body["processing_stats"] = std::move(stats);
  body["timestamp"] = UnixTime();
  if (envelope.source) body["source"] = *envelope.source;
  AddReadmeKeys(body, record, run, scores);
  body["unmask"] = UnmaskFacts(context, record, report);
  return body;
}

std::string MesonetErrorText(const Error& error) {
  if (error.message == kNoFrames) return kNoFrames;
  return IsUnreadableMedia(error.code) ? kCannotOpen : error.message;
}

http::Response MesonetFault(const ContractContext& context, const Error& error) {
  if (auto response = FastApiServerFault(error)) return std::move(*response);
  const bool theirs = context.settings->strict && error.code != ErrorCode::kInternal;
  return FastApiExplained(context, theirs ? 400 : 500, MesonetErrorText(error), error.message);
}

}  // namespace unmask::compat
