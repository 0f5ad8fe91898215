// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/engine_metrics.hpp"
#include "api/routes.hpp"
#include "base/version.hpp"
#include "http/problem.hpp"
#include "model/repository.hpp"
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
          {"jobs", options.jobs},
          {"max_queue", options.max_queue},
          {"max_connections", options.max_connections},
          {"retention_count", options.retention_count},
          {"retention_bytes", options.retention_bytes},
          {"header_timeout", options.header_timeout},
          {"progress_timeout", options.progress_timeout},
          {"keep_alive_timeout", options.keep_alive_timeout}};
}

Json CardJson(const ModelCard& card, const Analyzer& analyzer) {
  Json json;
  json["serving"] = card.name == analyzer.model().name && card.version == analyzer.model().version;
  const auto stated = Json::parse(card.json, nullptr, false);
  if (stated.is_object())
    for (const auto& [key, value] : stated.items()) json[key] = value;
  json["name"] = card.name;
  json["version"] = card.version;
  return json;
}

Json ModelsJson(const ApiContext& context) {
  Json models = Json::array();
  const auto& serving = context.analyzer.model();
  bool listed = false;
  const auto add = [&](const ModelCard& card) {
    const bool serves = card.name == serving.name && card.version == serving.version;
    Json limits = Json::array();
    for (const ModelLimit& limit : card.limits) limits.push_back(limit.text);
    listed = listed || serves;
    models.push_back({{"name", card.name},
                      {"version", card.version},
                      {"serving", serves},
                      {"description", card.description},
                      {"sha256", card.sha256},
                      {"calibrated", card.calibration.fitted},
                      {"thresholds",
                       {{"manipulated", card.thresholds.manipulated},
                        {"clear", card.thresholds.clear},
                        {"fpr_at_manipulated", card.thresholds.fpr_at_manipulated},
                        {"fpr_at_clear", card.fpr_at_clear}}},
                      {"limits", std::move(limits)},
                      {"licence", card.licence}});
  };
  if (const auto cards = ModelRepository(context.options.models).List())
    for (const auto& card : *cards) add(card);
  if (!listed) add(serving);  // its folder may have gone since the start
  return {{"models", models}};
}

http::Response ModelResponse(const ApiContext& context, const http::Request& request) {
  const auto& name = request.params.at("name");
  const auto& text = request.params.at("version");
  int version = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) {
    const auto& serving = context.analyzer.model();
    if (serving.name == name && serving.version == version)
      return Answer(CardJson(serving, context.analyzer));
    // Looked up in the list, so that no name from a client becomes a path.
    if (const auto cards = ModelRepository(context.options.models).List())
      for (const auto& card : *cards)
        if (card.name == name && card.version == version) return Answer(CardJson(card, context.analyzer));
  }
  return http::Problem({ErrorCode::kNotFound, fmt::format("there is no model {}:{}", name, text),
                        "GET /v1/models lists what there is", ""},
                       request.trace_id);
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
      [&ready = context.ready](const http::RequestPtr& request, const http::Responder& responder) {
        const auto engines = RemoteEngines();
        const auto left_alone = EngineLeftAlone(engines);
        if (ready && left_alone.empty())
          return responder.Send(http::JsonResponse(200, ReadinessJson(engines)));
        const auto why = !ready ? "the server is shutting down"
                                : fmt::format("the remote engine of {} keeps failing", left_alone);
        responder.Send(http::Problem({ErrorCode::kOverloaded, why, "", ""}, request->trace_id));
      },
      Runs::kInPlace);
  router.Get("/version", constant(PrintJson(VersionJson(context.analyzer)) + "\n"), Runs::kInPlace);
  router.Get("/metrics",
             [&metrics = context.metrics](const http::RequestPtr&, const http::Responder& responder) {
               responder.Send({.content_type = "text/plain; version=0.0.4; charset=utf-8",
                               .body = metrics.Serialize() + EngineMetricsText(RemoteEngines())});
             });
  router.Get("/v1/limits", constant(PrintJson(LimitsJson(context.options)) + "\n"));
  router.Get("/v1/models", [context](const http::RequestPtr&, const http::Responder& responder) {
    responder.Send(Answer(ModelsJson(context)));
  });
  router.Get("/v1/models/{name}/{version}",
             [context](const http::RequestPtr& request, const http::Responder& responder) {
               responder.Send(ModelResponse(context, *request));
             });
}

}  // namespace unmask
