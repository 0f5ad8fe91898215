// SPDX-License-Identifier: Apache-2.0
#include "render/json.hpp"

#include <cmath>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/heat.hpp"
#include "render/json_value.hpp"
#include "render/round.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

// nlohmann prints NaN as null.
Json Score(double value) { return RoundScore(value); }
Json Time(double value) { return RoundTime(value); }
Json Angle(double value) { return RoundAngle(value); }

Json Whole(double value) {
  if (!std::isfinite(value)) return nullptr;
  return static_cast<std::int64_t>(std::llround(value));
}

Json Score(const std::optional<double>& value) { return value ? Score(*value) : Json(nullptr); }
Json Time(const std::optional<double>& value) { return value ? Time(*value) : Json(nullptr); }

Json ToValue(const Box& box) { return {Whole(box.x), Whole(box.y), Whole(box.width), Whole(box.height)}; }

Json ToValue(const std::vector<Reason>& reasons) {
  Json names = Json::array();
  for (const Reason reason : reasons) names.push_back(ReasonName(reason));
  return names;
}

/// What each member of an ensemble says; nothing for a single model.
void AddMembers(Json& value, const std::vector<MemberScore>& scores, const ModelFacts& model) {
  if (scores.size() != model.members.size() || scores.empty()) return;
  Json members = Json::array();
  for (std::size_t i = 0; i < scores.size(); ++i)
    members.push_back({{"model", fmt::format("{}:{}", model.members[i].name, model.members[i].version)},
                       {"score", Score(scores[i].score)},
                       {"logit", Score(scores[i].logit)}});
  value["members"] = std::move(members);
}

Json ToValue(const ModelFacts& model) {
  Json value = {{"name", model.name},
                {"version", model.version},
                {"label", model.label.empty() ? Json(nullptr) : Json(model.label)},
                {"sha256", model.sha256},
                {"calibrated", model.calibrated}};
  if (model.members.empty()) return value;
  value["members"] = Json::array();
  for (const MemberFacts& member : model.members)
    value["members"].push_back({{"name", member.name},
                                {"version", member.version},
                                {"sha256", member.sha256},
                                {"calibrated", member.calibrated}});
  return value;
}

Json ToValue(const MediaFacts& media) {
  return {{"name", media.name},
          {"sha256", media.sha256},
          {"bytes", media.bytes},
          {"kind", media.kind == MediaKind::kImage ? "image" : "video"},
          {"container", media.container},
          {"codec", media.codec},
          {"width", media.width},
          {"height", media.height},
          {"duration", Time(media.duration)},
          {"fps", Time(media.fps)},
          {"frames", media.frames ? Json(*media.frames) : Json(nullptr)}};
}

Json ToValue(const std::shared_ptr<const HeatMap>& heat) {
  if (!heat) return nullptr;
  const HeatPeak peak = PeakOf(*heat);
  return {{"region", ToValue(heat->region)},
          {"peak", {Whole(peak.x), Whole(peak.y)}},
          {"peak_value", Score(peak.value)}};
}

Json ToValue(const TrackReport& track, const ModelFacts& model) {
  Json segments = Json::array();
  for (const Segment& segment : track.segments)
    segments.push_back({{"start", Time(segment.start)},
                        {"end", Time(segment.end)},
                        {"peak_time", Time(segment.peak_time)},
                        {"peak_score", Score(segment.peak_score)}});
  Json value = {{"id", track.id},
                {"verdict", VerdictName(track.verdict)},
                {"score", Score(track.score)},
                {"logit", Score(track.logit)},
                {"reasons", ToValue(track.reasons)},
                {"start", Time(track.start)},
                {"end", Time(track.end)},
                {"faces", track.faces},
                {"segments", std::move(segments)},
                {"best",
                 {{"frame", track.best.frame},
                  {"time", Time(track.best.time)},
                  {"box", ToValue(track.best.box)},
                  {"heat", ToValue(track.best.heat)}}}};
  AddMembers(value, track.members, model);
  return value;
}

Json ToValue(const FaceReport& face, const ModelFacts& model) {
  const FaceQuality& quality = face.quality;
  Json value = {{"track", face.track},
                {"frame", face.frame},
                {"time", Time(face.time)},
                {"box", ToValue(face.box)},
                {"score", Score(face.score)},
                {"logit", Score(face.logit)},
                {"detector_score", Score(face.detector_score)},
                {"quality",
                 {{"size", Whole(quality.size)},
                  {"sharpness", Time(quality.sharpness)},
                  {"brightness", Time(quality.brightness)},
                  {"yaw", Angle(quality.yaw)},
                  {"pitch", Angle(quality.pitch)},
                  {"roll", Angle(quality.roll)},
                  {"drawing", Time(quality.drawing)},
                  {"codes", Json(quality.codes)}}},
                {"used", face.used}};
  AddMembers(value, face.members, model);
  return value;
}

}  // namespace

Json FacesToJsonValue(const Report& report) {
  Json faces = Json::array();
  for (const FaceReport& face : report.faces) faces.push_back(ToValue(face, report.model));
  return faces;
}

Json ToJsonValue(const Report& report, const JsonOptions& options) {
  Json tracks = Json::array();
  for (const TrackReport& track : report.tracks) tracks.push_back(ToValue(track, report.model));

  const Sampling& sampling = report.sampling;
  Json value = {{"schema", "unmask.report/1"},
                {"media", ToValue(report.media)},
                {"verdict", VerdictName(report.verdict)},
                {"score", Score(report.score)},
                {"logit", Score(report.logit)},
                {"reasons", ToValue(report.reasons)},
                {"thresholds",
                 {{"manipulated", Score(report.thresholds.manipulated)},
                  {"clear", Score(report.thresholds.clear)},
                  {"fpr_at_manipulated", Score(report.thresholds.fpr_at_manipulated)},
                  {"fpr_at_clear", Score(report.thresholds.fpr_at_clear)}}},
                {"tracks", std::move(tracks)}};
  if (options.faces) value["faces"] = FacesToJsonValue(report);
  AddMembers(value, report.members, report.model);
  value["limits"] = report.limits;
  value["stability"] = {{"checked", report.stability.checked},
                        {"variants", report.stability.variants},
                        {"flips", report.stability.flips},
                        {"spread", Score(report.stability.spread)}};
  value["sampling"] = {
      {"mode", SampleModeName(sampling.mode)},     {"fps", Time(sampling.fps)},
      {"frames_decoded", sampling.frames_decoded}, {"frames_analysed", sampling.frames_analysed},
      {"faces_found", sampling.faces_found},       {"decode_errors", sampling.decode_errors}};
  value["model"] = ToValue(report.model);
  value["software"] = {{"unmask", report.software.unmask},
                       {"libavcodec", report.software.libavcodec},
                       {"openvino", report.software.openvino}};
  if (!report.detector.empty()) value["software"]["detector"] = report.detector;
  // keep_frames is not stated: it adds pictures beside the report and changes nothing in it.
  value["options"] = {{"fps", Time(report.options.fps)},
                      {"max_frames", report.options.max_frames},
                      {"mode", SampleModeName(report.options.mode)},
                      {"stability", report.options.stability}};
  value["timing_ms"] = {{"total", Whole(report.timing_ms.total)},
                        {"decode", Whole(report.timing_ms.decode)},
                        {"find", Whole(report.timing_ms.find)},
                        {"score", Whole(report.timing_ms.score)},
                        {"stability", Whole(report.timing_ms.stability)}};
  return value;
}

Json ToJsonValue(const Error& error) {
  Json value = {{"code", CodeName(error.code)}, {"message", error.message}};
  if (!error.hint.empty()) value["hint"] = error.hint;
  if (!error.limit.empty()) value["limit"] = error.limit;
  return value;
}

std::string PrintJson(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string ToJson(const Report& report, const JsonOptions& options) {
  return PrintJson(ToJsonValue(report, options), options.indent);
}

std::string ToJson(const Outcome& outcome, const JsonOptions& options) {
  if (outcome.report) return ToJson(*outcome.report, options);
  return PrintJson({{"media", {{"name", outcome.name}}}, {"error", ToJsonValue(outcome.report.error())}},
                   options.indent);
}

}  // namespace unmask
