// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/analysis_json.hpp"
#include "api/events.hpp"
#include "api/routes.hpp"
#include "api/upload.hpp"
#include "api/wait.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"
#include "render/heat.hpp"
#include "render/html.hpp"
#include "render/json_value.hpp"
#include "render/picture_io.hpp"

namespace unmask {
namespace {

constexpr std::int64_t kMaxPage = 100;
constexpr std::int64_t kMaxFacePage = 1000;
constexpr int kFacesPerTrack = 4;  // kept for feedback, up to twice as many: 0.2 MB for one person

http::Response Json(int status, const nlohmann::ordered_json& value) {
  return http::JsonResponse(status, PrintJson(value) + "\n");
}

http::Response NoSuchAnalysis(const http::Request& request) {
  return http::Problem(
      {ErrorCode::kNotFound, "there is no such analysis", "it may have been deleted or have expired", ""},
      request.trace_id);
}

/// What a POST's query asks for.
struct Wishes {
  AnalysisOptions options;
  bool faces = false;
  double wait = kDefaultWait;
  double retention = 0;
  std::string name;
};

Result<bool> ReadFaces(const http::QueryReader& query) {
  const auto include = query.Choice("include", {"faces"});
  if (!include) return tl::unexpected(include.error());
  return include->has_value();
}

Result<Wishes> ReadWishes(const http::Request& request, const ServeOptions& options) {
  const http::QueryReader query(request);
  Wishes wishes;
  if (auto known =
          query.Accepts({"fps", "max_frames", "mode", "stability", "include", "wait", "name", "retention"});
      !known)
    return tl::unexpected(known.error());
  const auto fps = query.Number("fps", 0.01, 60, wishes.options.fps);
  if (!fps) return tl::unexpected(fps.error());
  const auto max_frames = query.Integer("max_frames", 1, 4096, wishes.options.max_frames);
  if (!max_frames) return tl::unexpected(max_frames.error());
  const auto mode = query.Choice("mode", {"fps", "keyframes"});
  if (!mode) return tl::unexpected(mode.error());
  const auto stability = query.Choice("stability", {"on", "off"});
  if (!stability) return tl::unexpected(stability.error());
  const auto faces = ReadFaces(query);
  if (!faces) return tl::unexpected(faces.error());
  const auto wait = query.Number("wait", 0, options.max_wait, std::min(kDefaultWait, options.max_wait));
  if (!wait) return tl::unexpected(wait.error());
  const auto retention = query.Number("retention", 1, kMaxRetention, options.retention);
  if (!retention) return tl::unexpected(retention.error());
  wishes.options.fps = *fps;
  wishes.options.max_frames = static_cast<int>(*max_frames);
  wishes.options.mode = mode->value_or(0) == 1 ? SampleMode::kKeyframes : SampleMode::kFps;
  wishes.options.stability = stability->value_or(0) == 0;
  wishes.faces = *faces;
  wishes.wait = *wait;
  wishes.retention = *retention;
  if (const auto* name = query.Text("name")) wishes.name = CleanLabel(*name);
  if (!options.feedback.empty()) wishes.options.keep_faces = kFacesPerTrack;
  if (const auto valid = Validate(wishes.options); !valid) return tl::unexpected(valid.error());
  return wishes;
}

http::Response AnswerToPost(const http::Request& request, const std::optional<AnalysisRecord>& record,
                            bool faces) {
  if (!record)
    return http::Problem({ErrorCode::kCancelled, "the analysis was deleted while it ran", "", ""},
                         request.trace_id);
  if (record->error) return http::Problem(*record->error, request.trace_id, {{"id", record->id}});
  auto response = Json(record->ended() ? 200 : 202, ToJsonValue(*record, faces));
  if (!record->ended()) response.headers.Set("Location", "/v1/analyses/" + record->id);
  return response;
}

Result<std::unique_ptr<http::BodyReceiver>> Post(const ApiContext& context, const http::RequestPtr& request) {
  auto wishes = ReadWishes(*request, context.options);
  if (!wishes) return tl::unexpected(wishes.error());
  if (const auto ready = context.analyzer.Ready(); !ready) return tl::unexpected(ready.error());
  if (const auto room = context.service.CheckRoom(); !room) return tl::unexpected(room.error());
  const auto start = [context, request, wishes = *wishes](Upload upload, http::Responder responder) {
    const std::string& name = wishes.name.empty() ? upload.name : wishes.name;
    const auto id = context.service.Submit({.media = std::move(upload.media),
                                            .name = name.empty() ? "upload" : name,
                                            .options = wishes.options,
                                            .retention = wishes.retention});
    if (!id) return responder.Send(http::Problem(id.error(), request->trace_id));
    AnswerWhenEnded(context.service, context.timers, request, std::move(responder),
                    {.id = *id,
                     .seconds = wishes.wait,
                     .answer = [request, faces = wishes.faces](
                                   const auto& record) { return AnswerToPost(*request, record, faces); },
                     .on_gone = [&service = context.service, id = *id] { service.Cancel(id); }});
  };
  return ReceiveUpload(request, context.options.data, start);
}

void Get(const ApiContext& context, const http::RequestPtr& request, http::Responder responder) {
  const http::QueryReader query(*request);
  const auto refuse = [&](const Error& error) { responder.Send(http::Problem(error, request->trace_id)); };
  if (const auto known = query.Accepts({"wait", "include"}); !known) return refuse(known.error());
  const auto wait = query.Number("wait", 0, context.options.max_wait, 0);
  if (!wait) return refuse(wait.error());
  const auto faces = ReadFaces(query);
  if (!faces) return refuse(faces.error());
  AnswerWhenEnded(context.service, context.timers, request, std::move(responder),
                  {.id = request->params.at("id"),
                   .seconds = *wait,
                   .answer = [request, faces = *faces](const std::optional<AnalysisRecord>& record) {
                     return record ? Json(200, ToJsonValue(*record, faces)) : NoSuchAnalysis(*request);
                   }});
}

Result<http::Response> List(const ApiContext& context, const http::Request& request) {
  const http::QueryReader query(request);
  if (const auto known = query.Accepts({"after", "limit", "verdict"}); !known)
    return tl::unexpected(known.error());
  const auto limit = query.Integer("limit", 1, kMaxPage, 20);
  if (!limit) return tl::unexpected(limit.error());
  const auto choice = query.Choice("verdict", {"manipulated", "no_manipulation_found", "inconclusive"});
  if (!choice) return tl::unexpected(choice.error());
  constexpr Verdict kVerdicts[] = {Verdict::kManipulated, Verdict::kNoManipulationFound,
                                   Verdict::kInconclusive};
  std::optional<Verdict> verdict;
  if (*choice) verdict = kVerdicts[**choice];
  const auto* after = query.Text("after");

  const auto count = static_cast<std::size_t>(*limit);
  auto records = context.service.List(after ? *after : "", count + 1, verdict);
  const bool more = records.size() > count;
  if (more) records.pop_back();
  nlohmann::ordered_json page;
  page["analyses"] = nlohmann::ordered_json::array();
  for (const auto& record : records) page["analyses"].push_back(ToJsonValue(record, false));
  page["next"] = nullptr;
  if (more) page["next"] = records.back().id;
  return Json(200, page);
}

Result<http::Response> Faces(const ApiContext& context, const http::Request& request) {
  const http::QueryReader query(request);
  if (const auto known = query.Accepts({"after", "limit"}); !known) return tl::unexpected(known.error());
  const auto after = query.Integer("after", 0, std::numeric_limits<std::int32_t>::max(), 0);
  if (!after) return tl::unexpected(after.error());
  const auto limit = query.Integer("limit", 1, kMaxFacePage, 100);
  if (!limit) return tl::unexpected(limit.error());
  const auto record = FindDone(context, request);
  if (!record) return tl::unexpected(record.error());

  const auto total = static_cast<std::int64_t>(record->report->faces.size());
  const auto begin = std::min(*after, total), end = std::min(begin + *limit, total);
  Report slice;  // of the faces alone, so that a page costs what it shows
  slice.model = record->report->model;
  slice.faces.assign(record->report->faces.begin() + begin, record->report->faces.begin() + end);
  nlohmann::ordered_json page;
  page["faces"] = FacesToJsonValue(slice);
  page["total"] = total;
  page["next"] = nullptr;
  if (end < total) page["next"] = end;
  return Json(200, page);
}

/// The track that the request names, if it has a picture.
Result<const TrackReport*> FindTrack(const Report& report, const http::Request& request) {
  const auto& wanted = request.params.at("track");
  for (const auto& track : report.tracks)
    if (std::to_string(track.id) == wanted && track.best.face) return &track;
  return Fail(ErrorCode::kNotFound, fmt::format("the analysis has no track {} with a picture", wanted));
}

http::Response PictureResponse(const char* type, std::string bytes) {
  http::Response response{.content_type = type, .body = std::move(bytes)};
  // The picture of a finished analysis never changes, but it is nobody else's business.
  response.headers.Set("Cache-Control", "private, max-age=3600");
  return response;
}

Result<http::Response> BestPicture(const ApiContext& context, const http::Request& request) {
  const auto record = FindDone(context, request);
  if (!record) return tl::unexpected(record.error());
  const auto track = FindTrack(*record->report, request);
  if (!track) return tl::unexpected(track.error());
  auto jpeg = EncodeJpeg(*(*track)->best.face);
  if (!jpeg) return tl::unexpected(jpeg.error());
  return PictureResponse("image/jpeg", std::move(*jpeg));
}

Result<http::Response> HeatMapPicture(const ApiContext& context, const http::Request& request) {
  const auto record = FindDone(context, request);
  if (!record) return tl::unexpected(record.error());
  const auto track = FindTrack(*record->report, request);
  if (!track) return tl::unexpected(track.error());
  const BestFace& best = (*track)->best;
  if (!best.heat)
    return Fail(ErrorCode::kNotFound,
                fmt::format("the model {}:{} draws no heat map", record->report->model.name,
                            record->report->model.version),
                "analyse the media again with a model that does; see /v1/models");
  Picture tinted = *best.face;
  TintWithHeat(tinted, best.face_region, *best.heat);
  auto png = EncodePng(tinted);
  if (!png) return tl::unexpected(png.error());
  return PictureResponse("image/png", std::move(*png));
}

Result<http::Response> HtmlReport(const ApiContext& context, const http::Request& request) {
  const auto record = FindDone(context, request);
  if (!record) return tl::unexpected(record.error());
  http::Response response{.content_type = "text/html; charset=utf-8", .body = ToHtml(*record->report)};
  response.headers.Set(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'");
  return response;
}

using Answer = Result<http::Response> (*)(const ApiContext&, const http::Request&);

http::Handler Wrap(const ApiContext& context, Answer answer) {
  return [context, answer](const http::RequestPtr& request, http::Responder responder) {
    auto response = answer(context, *request);
    responder.Send(response ? std::move(*response) : http::Problem(response.error(), request->trace_id));
  };
}

}  // namespace

Result<AnalysisRecord> FindDone(const ApiContext& context, const http::Request& request) {
  auto record = context.service.Find(request.params.at("id"));
  if (!record)
    return Fail(ErrorCode::kNotFound, "there is no such analysis",
                "it may have been deleted or have expired");
  if (!record->report)
    return Fail(ErrorCode::kConflict,
                fmt::format("the analysis is {}, expected done", StateName(record->state)),
                record->ended() ? "see its error"
                                : fmt::format("wait for it: GET /v1/analyses/{}?wait=30", record->id));
  return std::move(*record);
}

void AddAnalysisRoutes(http::Router& router, const ApiContext& context) {
  router.Post("/v1/analyses", context.options.max_upload_bytes,
              [context](const http::RequestPtr& request) { return Post(context, request); });
  router.Get("/v1/analyses", Wrap(context, List));
  router.Get("/v1/analyses/{id}", [context](const http::RequestPtr& request, http::Responder responder) {
    Get(context, request, std::move(responder));
  });
  router.Delete("/v1/analyses/{id}", [context](const http::RequestPtr& request, http::Responder responder) {
    const bool found = context.service.Delete(request->params.at("id"));
    responder.Send(found ? http::Response{.status = 204} : NoSuchAnalysis(*request));
  });
  router.Get("/v1/analyses/{id}/events",
             [context](const http::RequestPtr& request, http::Responder responder) {
               StreamEvents(context, request, std::move(responder));
             });
  router.Get("/v1/analyses/{id}/faces", Wrap(context, Faces));
  router.Get("/v1/analyses/{id}/tracks/{track}/best.jpg", Wrap(context, BestPicture));
  router.Get("/v1/analyses/{id}/tracks/{track}/heatmap.png", Wrap(context, HeatMapPicture));
  router.Get("/v1/analyses/{id}/report.html", Wrap(context, HtmlReport));
}

}  // namespace unmask
