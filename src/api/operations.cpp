// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/engine_metrics.hpp"
#include "api/model_metrics.hpp"
#include "api/models.hpp"
#include "api/routes.hpp"
#include "base/version.hpp"
#include "feedback/record.hpp"
#include "http/problem.hpp"
#include "render/json_value.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

http::Response Answer(const Json& value) { return http::JsonResponse(200, PrintJson(value) + "\n"); }

Json VersionJson(const Analyzer& analyzer) {
  const auto& software = analyzer.software();
  const auto& model = analyzer.model();
  return {{"unmask", Version()},
          {"libavcodec", software.libavcodec},
          {"openvino", software.openvino},
          {"model", {{"name", model.name}, {"version", model.version}, {"sha256", model.sha256}}}};
}

/// Every limit of one name, as errors state it.
Json LimitsJson(const ServeOptions& options) {
  const MediaLimits& media = options.media;
  const AnalysisOptions defaults;
  return {{"max_upload_bytes", options.max_upload_bytes},
          {"max_bytes", media.max_bytes},
          {"max_pixels", media.max_pixels},
          {"max_side", media.max_side},
          {"max_streams", media.max_streams},
          {"max_duration", media.max_duration},
          {"decoder_memory", media.decoder_memory},
          {"decoder_cpu", media.decoder_cpu},
          {"decoder_wall", media.decoder_wall},
          {"fps", {{"least", 0.01}, {"most", 60}, {"default", defaults.fps}}},
          {"max_frames", {{"least", 1}, {"most", 4096}, {"default", defaults.max_frames}}},
          {"wait",
           {{"least", 0}, {"most", options.max_wait}, {"default", std::min(kDefaultWait, options.max_wait)}}},
          {"retention", {{"least", 1}, {"most", kMaxRetention}, {"default", options.retention}}},
          {"name_bytes", kMaxLabel},
          {"feedback", !options.feedback.empty()},
          {"feedback_bytes", options.feedback_bytes},
          {"feedback_note_bytes", FeedbackWish::kMaxNote},
          {"jobs", options.jobs},
          {"max_queue", options.max_queue},
          {"max_connections", options.max_connections},
          {"retention_count", options.retention_count},
          {"retention_bytes", options.retention_bytes},
          {"header_timeout", options.header_timeout},
          {"progress_timeout", options.progress_timeout},
          {"keep_alive_timeout", options.keep_alive_timeout}};
}

}  // namespace

void AddOperationRoutes(http::Router& router, const ApiContext& context) {
  using Runs = http::Route::Runs;
  const auto constant = [](std::string body) {
    return [body = std::move(body)](const http::RequestPtr&, const http::Responder& responder) {
      responder.Send(http::JsonResponse(200, body));
    };
  };
  router.Get("/healthz", constant("{\"status\":\"ok\"}\n"), Runs::kInPlace);
  router.Get(
      "/readyz",
      [&ready = context.ready, &analyzer = context.analyzer](const http::RequestPtr& request,
                                                             const http::Responder& responder) {
        const auto engines = RemoteEngines();
        if (const auto model = analyzer.Ready(); ready && !model)
          return responder.Send(http::Problem(model.error(), request->trace_id));
        const auto left_alone = EngineLeftAlone(engines);
        if (ready && left_alone.empty())
          return responder.Send(http::JsonResponse(200, ReadinessJson(engines)));
        const auto why = !ready ? "the server is shutting down"
                                : fmt::format("the remote engine of {} keeps failing", left_alone);
        responder.Send(http::Problem({ErrorCode::kOverloaded, why, "", ""}, request->trace_id));
      },
      Runs::kInPlace);
  router.Get(
      "/version",
      [&analyzer = context.analyzer](const http::RequestPtr&, const http::Responder& responder) {
        responder.Send(Answer(VersionJson(analyzer)));
      },
      Runs::kInPlace);
  router.Get("/metrics", [&metrics = context.metrics, served = VersionsOf(context.analyzer)](
                             const http::RequestPtr&, const http::Responder& responder) {
    responder.Send(
        {.content_type = "text/plain; version=0.0.4; charset=utf-8",
         .body = metrics.Serialize() + VersionMetricsText(served) + EngineMetricsText(RemoteEngines())});
  });
  router.Get("/v1/limits", constant(PrintJson(LimitsJson(context.options)) + "\n"));
}

}  // namespace unmask
