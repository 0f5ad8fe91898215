// SPDX-License-Identifier: Apache-2.0
#include "compat/predict/answers.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "compat/facts.hpp"
#include "compat/fast_api.hpp"
#include "compat/main_faces.hpp"
#include "compat/numpy_mean.hpp"
#include "compat/python.hpp"
#include "compat/score_mapping.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;

// Where our score says "manipulated" the service's says 0.5, its usual THRESHOLD. An operator's other
// THRESHOLD makes the labels rarer or more frequent, as it did.
constexpr ScoreRule kScale = PredictRule(0.5);

constexpr const char* kNoFrames = "No frames extracted (no faces and fallback failed)";
constexpr const char* kCannotOpen = "Failed to open video";

float FaceScore(const ContractContext& context, const Report& report, const FaceReport& face) {
  if (context.faithful) return InServiceDirection(*face.score, kScale);
  return ToServiceScore(*face.score, report.model.thresholds.manipulated, kScale);
}

/// Of the faithful engine the mean, as in the original. Ours is that of the person who decides the verdict,
/// calibrated for so many faces.
float VideoScore(const ContractContext& context, const Report& report, const std::vector<float>& scores) {
  if (context.faithful || !report.score) return NumpyMean(scores);
  return ToServiceScore(*report.score, report.thresholds.manipulated, kScale);
}

/// Without a face in any frame the faithful engine judges the middle of some, as the original does.
bool IsFallback(const Report& report) {
  return !report.faces.empty() && std::none_of(report.frames.begin(), report.frames.end(),
                                               [](const FrameReport& frame) { return frame.faces > 0; });
}

}  // namespace

http::Response PredictAnswer(const ContractContext& context, const AnalysisRecord& record,
                             const Report& report, const PredictSampling& sampling, double latency_ms) {
  const auto faces = MainFaces(report);
  if (faces.empty())
    return FastApiExplained(context, 400, kNoFrames, "no face was found in any analysed frame");
  const bool fallback = IsFallback(report);
  std::vector<float> scores;
  ordered_json samples = ordered_json::array();
  for (const FaceReport* face : faces) {
    scores.push_back(FaceScore(context, report, *face));
    samples.push_back({{"t", face->time}, {"score", Widen(scores.back())}});
  }
  const float score = VideoScore(context, report, scores);
  ordered_json body;
  body["score"] = Widen(score);
  body["label"] = IsFake(score, PredictRule(context.settings->threshold)) ? "fake" : "real";
  body["frame_samples"] = std::move(samples);
  body["version"] = context.settings->model_version;
  body["latency_ms"] = static_cast<std::int64_t>(latency_ms);
  // The original's rate divides by the frames that it kept, so that it is always 1 or, in the fallback, 0.
  body["meta"] = {{"src_fps", sampling.source_fps},
                  {"total_frames", sampling.total_frames},
                  {"used_step", sampling.step},
                  {"face_frames", fallback ? 0 : faces.size()},
                  {"face_detect_rate", fallback ? 0.0 : 1.0}};
  body["unmask"] = UnmaskFacts(context, record, report);
  const auto looked_at = report.sampling.frames_analysed;
  body["unmask"]["frames_analysed"] = looked_at;
  body["unmask"]["face_detect_rate"] =
      fallback || looked_at == 0 ? 0.0 : static_cast<double>(faces.size()) / static_cast<double>(looked_at);
  return http::JsonResponse(200, FastApiJson(body));
}

http::Response PredictFault(const ContractContext& context, const Error& error) {
  if (auto response = FastApiServerFault(error)) return std::move(*response);
  if (IsUnreadableMedia(error.code)) return FastApiExplained(context, 400, kCannotOpen, error.message);
  const bool ours = error.code == ErrorCode::kInternal;
  return FastApiDetail(ours && context.settings->strict ? 503 : 400, error.message);
}

ordered_json EmbeddedModelStatus(const ModelCard& model) {
  return {{"model_version_status",
           {{{"version", std::to_string(model.version)},
             {"state", "AVAILABLE"},
             {"status", {{"error_code", "OK"}, {"error_message", ""}}}}}}};
}

}  // namespace unmask::compat
