// SPDX-License-Identifier: Apache-2.0
#include "api/models.hpp"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/versioned_analyzer.hpp"
#include "http/problem.hpp"
#include "http/query.hpp"
#include "model/repository.hpp"
#include "model/rollout_json.hpp"
#include "model/served_model.hpp"
#include "render/json_value.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kFewEvents = 20;  // of the log, in a model's answer
constexpr std::int64_t kMostEvents = 1000;

http::Response Answer(const Json& value) { return http::JsonResponse(200, PrintJson(value) + "\n"); }

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

/// The cards of the repository. Names from clients are looked for in it, so that none becomes a path.
std::vector<ModelCard> Cards(const ModelsView& view) {
  auto cards = ModelRepository(view.models).List();
  return cards ? std::move(*cards) : std::vector<ModelCard>();
}

bool Serves(const ModelsView& view, const ModelCard& card) {
  if (const ServedModel* served = WatchedModel(view, card.name)) return served->serving() == card.version;
  const ModelCard& serving = view.analyzer.model();
  return card.name == serving.name && card.version == serving.version;
}

Json StateJson(const std::optional<VersionStatus>& status) {
  if (!status) return {{"state", nullptr}, {"state_code", nullptr}, {"error", nullptr}};
  return {{"state", VersionStateName(status->state)},
          {"state_code", static_cast<int>(status->state)},
          {"error", status->error ? ToJsonValue(*status->error) : Json(nullptr)}};
}

std::optional<VersionStatus> StatusOf(const ModelsView& view, const std::string& name, int version) {
  if (const ServedModel* served = WatchedModel(view, name))
    for (auto& status : served->Status())
      if (status.version == version) return std::move(status);
  return std::nullopt;
}

Json Summary(const ModelsView& view, const ModelCard& card) {
  const auto status = StatusOf(view, card.name, card.version);
  Json limits = Json::array();
  for (const ModelLimit& limit : card.limits) limits.push_back(limit.text);
  Json json = {{"name", card.name}, {"version", card.version}, {"serving", Serves(view, card)}};
  json.update(StateJson(status));
  json["label"] = TextOrNull(status ? status->label : "");
  json.update(Json{{"description", card.description},
                   {"sha256", card.sha256},
                   {"calibrated", card.calibration.fitted},
                   {"thresholds",
                    {{"manipulated", card.thresholds.manipulated},
                     {"clear", card.thresholds.clear},
                     {"fpr_at_manipulated", card.thresholds.fpr_at_manipulated},
                     {"fpr_at_clear", card.thresholds.fpr_at_clear}}},
                   {"limits", std::move(limits)},
                   {"licence", card.licence}});
  for (const ModelCard& member : card.members)
    json["members"].push_back(
        {{"name", member.name}, {"version", member.version}, {"sha256", member.sha256}});
  return json;
}

Result<http::Response> Models(const ModelsView& view, const http::Request&) {
  Json models = Json::array();
  const ModelCard& judging = view.analyzer.model();
  bool listed = false;
  for (const ModelCard& card : Cards(view)) {
    models.push_back(Summary(view, card));
    listed = listed || (card.name == judging.name && card.version == judging.version);
  }
  if (!listed) models.push_back(Summary(view, judging));  // its folder has gone
  return Answer({{"models", models}});
}

Json EventsJson(const std::vector<RolloutEvent>& events) {
  Json json = Json::array();
  for (const RolloutEvent& event : events) json.push_back(ToJsonValue(event));
  return json;
}

Json VersionJson(const VersionStatus& status) {
  Json json = {{"version", status.version}};
  json.update(StateJson(status));
  json["tries"] = status.tries;
  json["retry_in"] = status.retry_in ? Json(*status.retry_in) : Json(nullptr);
  json["label"] = TextOrNull(status.label);
  json["serving"] = status.serving;
  json["in_flight"] = status.in_flight;
  json["sha256"] = TextOrNull(status.sha256);
  json["golden"] = nullptr;
  if (status.golden)
    json["golden"] = {{"cases", status.golden->cases},
                      {"worst", status.golden->worst},
                      {"tolerance", status.golden->tolerance}};
  return json;
}

Result<http::Response> Model(const ModelsView& view, const http::Request& request) {
  const auto name = KnownModel(view, request.params.at("name"));
  if (!name) return tl::unexpected(name.error());
  return ModelAnswer(view, *name);
}

Result<http::Response> Events(const ModelsView& view, const http::Request& request) {
  const http::QueryReader query(request);
  if (const auto known = query.Accepts({"limit"}); !known) return tl::unexpected(known.error());
  const auto limit = query.Integer("limit", 1, kMostEvents, 100);
  if (!limit) return tl::unexpected(limit.error());
  const auto name = KnownModel(view, request.params.at("name"));
  if (!name) return tl::unexpected(name.error());
  const auto events = RolloutFiles(view.models / *name).Log(static_cast<std::size_t>(*limit));
  if (!events) return tl::unexpected(events.error());
  return Answer({{"events", EventsJson(*events)}});
}

Json CardJson(const ModelsView& view, const ModelCard& card) {
  const auto status = StatusOf(view, card.name, card.version);
  Json json = {{"serving", Serves(view, card)}};
  json.update(StateJson(status));
  json["label"] = TextOrNull(status ? status->label : "");
  const auto stated = Json::parse(card.json, nullptr, false);
  if (stated.is_object())
    for (const auto& [key, value] : stated.items()) json[key] = value;
  json["name"] = card.name;
  json["version"] = card.version;
  return json;
}

Result<http::Response> Card(const ModelsView& view, const http::Request& request) {
  const auto& name = request.params.at("name");
  const auto& text = request.params.at("version");
  int version = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) {
    const auto& serving = view.analyzer.model();
    if (serving.name == name && serving.version == version) return Answer(CardJson(view, serving));
    for (const ModelCard& card : Cards(view))
      if (card.name == name && card.version == version) return Answer(CardJson(view, card));
  }
  return Fail(ErrorCode::kNotFound, fmt::format("there is no model {}:{}", name, text),
              "GET /v1/models lists what there is");
}

using Asked = Result<http::Response> (*)(const ModelsView&, const http::Request&);

http::Handler Wrap(const ModelsView& view, Asked asked) {
  return [view, asked](const http::RequestPtr& request, const http::Responder& responder) {
    auto response = asked(view, *request);
    responder.Send(response ? std::move(*response) : http::Problem(response.error(), request->trace_id));
  };
}

}  // namespace

ServedModel* VersionsOf(Analyzer& analyzer) {
  auto* versioned = dynamic_cast<VersionedAnalyzer*>(&analyzer);
  return versioned == nullptr ? nullptr : &versioned->served();
}

ServedModel* WatchedModel(const ModelsView& view, const std::string& name) {
  ServedModel* served = VersionsOf(view.analyzer);
  return served != nullptr && served->name() == name ? served : nullptr;
}

Result<std::string> KnownModel(const ModelsView& view, const std::string& name) {
  if (view.analyzer.model().name == name) return name;
  for (const ModelCard& card : Cards(view))
    if (card.name == name) return name;
  return Fail(ErrorCode::kNotFound, fmt::format("there is no model '{}'", name),
              "GET /v1/models lists what there is");
}

http::Response ModelAnswer(const ModelsView& view, const std::string& name) {
  const RolloutFiles files(view.models / name);
  const ServedModel* served = WatchedModel(view, name);
  Json json = {{"name", name}, {"watched", served != nullptr}, {"policy", nullptr}};
  if (served != nullptr) json["policy"] = VersionPolicyText(served->policy());
  json["labels"] = ToJsonValue(served != nullptr ? served->rollout() : files.Read().value_or(Rollout{}));
  json["versions"] = Json::array();
  if (served != nullptr) {
    for (const auto& status : served->Status()) json["versions"].push_back(VersionJson(status));
  } else {
    const Rollout labels = files.Read().value_or(Rollout{});
    for (const ModelCard& card : Cards(view)) {
      if (card.name != name) continue;
      VersionStatus status{.version = card.version, .label = LabelOf(labels, card.version)};
      status.serving = Serves(view, card);
      Json version = VersionJson(status);
      version.update(StateJson({}));  // nobody watches it here
      json["versions"].push_back(std::move(version));
    }
  }
  json["log"] = EventsJson(files.Log(kFewEvents).value_or(std::vector<RolloutEvent>{}));
  return Answer(json);
}

void AddModelRoutes(http::Router& router, const ModelsView& view) {
  router.Get("/v1/models", Wrap(view, Models));
  router.Get("/v1/models/{name}", Wrap(view, Model));
  router.Get("/v1/models/{name}/log", Wrap(view, Events));
  router.Get("/v1/models/{name}/{version}", Wrap(view, Card));
}

}  // namespace unmask
