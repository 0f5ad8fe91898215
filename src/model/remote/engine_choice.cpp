// SPDX-License-Identifier: Apache-2.0
#include "model/remote/engine_choice.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "model/ensemble.hpp"
#include "model/remote/remote_engine.hpp"
#include "model/repository.hpp"

namespace unmask {
namespace {

using nlohmann::json;

constexpr auto kExample = "for example face=http://127.0.0.1:8000/v2/models/face";

tl::unexpected<Error> Expected(std::string_view what, std::string_view found) {
  return Fail(ErrorCode::kBadRequest, fmt::format("expected {}, found '{}'", what, found), kExample);
}

/// "max_batch=16&timeout=5" into `engine`. Which names there are, ReadRemoteEngine() knows.
Result<void> ReadSettings(std::string_view query, json& engine) {
  while (!query.empty()) {
    const auto setting = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(setting.size() + 1, query.size()));
    const auto equals = std::min(setting.find('='), setting.size());
    const std::string name(setting.substr(0, equals));
    const auto text = setting.substr(std::min(equals + 1, setting.size()));
    std::int64_t whole = 0;
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto is_whole = std::from_chars(text.data(), end, whole);
    const auto is_number = std::from_chars(text.data(), end, number);
    const bool stated = name == "type" || name == "url" || name == "model" || name == "version";
    if (stated || text.empty() || is_number.ec != std::errc() || is_number.ptr != end)
      return Expected("settings such as ?max_batch=16&timeout=5 behind the address of an engine", setting);
    if (is_whole.ec == std::errc() && is_whole.ptr == end)
      engine[name] = whole;
    else
      engine[name] = number;
  }
  return {};
}

bool Names(const EngineChoice& choice, const ModelCard& card) {
  return choice.model == card.name || choice.model == fmt::format("{}:{}", card.name, card.version);
}

}  // namespace

Result<json> ReadEngineUrl(std::string_view url) {
  const auto question = std::min(url.find('?'), url.size());
  const std::string_view address = url.substr(0, question);
  if (!address.starts_with("http://") && !address.starts_with("https://"))
    return Expected("the address of an engine, http:// or https://", url);
  json engine;
  std::size_t at = std::string_view::npos;
  for (const auto& [path, type] : {std::pair("/v1/models/", "tf-serving"), {"/v2/models/", "kserve-v2"}}) {
    const auto found = address.rfind(path);
    if (found == std::string_view::npos || (at != std::string_view::npos && found < at)) continue;
    at = found;
    engine["type"] = type;
  }
  if (at == std::string_view::npos)
    return Expected(
        "an address that ends in /v2/models/MODEL (KServe v2, Triton) or /v1/models/MODEL (TensorFlow "
        "Serving)",
        url);
  engine["url"] = address.substr(0, at);
  std::string_view model = address.substr(at + std::string_view("/v1/models/").size());
  constexpr std::string_view kVersions = "/versions/";
  if (const auto mark = model.find(kVersions); mark != std::string_view::npos) {
    engine["version"] = model.substr(mark + kVersions.size());
    model = model.substr(0, mark);
  }
  engine["model"] = model;
  if (auto read = ReadSettings(url.substr(std::min(question + 1, url.size())), engine); !read)
    return tl::unexpected(read.error());
  // Everything else is checked where a card's own engine is.
  if (const auto checked = ReadRemoteEngine(engine, ""); !checked)
    return Fail(ErrorCode::kBadRequest, fmt::format("'{}': {}", url, checked.error().message),
                checked.error().hint.empty() ? kExample : checked.error().hint);
  return engine;
}

Result<EngineChoice> ParseEngineChoice(std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  const std::string_view model = text.substr(0, equals);
  const std::string_view url = text.substr(std::min(equals + 1, text.size()));
  // A label may go to another version while this runs, which would be sent to an engine that has the old one.
  if (model.empty() || url.empty() || model.find_first_of("@/ ") != std::string_view::npos)
    return Expected("NAME=URL or NAME:VERSION=URL", text);
  if (auto read = ReadEngineUrl(url); !read) return tl::unexpected(read.error());
  return EngineChoice{std::string(model), std::string(url)};
}

const EngineChoice* ChoiceFor(const ModelCard& card, const std::vector<EngineChoice>& choices) {
  const EngineChoice* chosen = nullptr;
  for (const EngineChoice& choice : choices) {
    const bool exact = choice.model != card.name;
    if (Names(choice, card) && (exact || chosen == nullptr || chosen->model == card.name)) chosen = &choice;
  }
  return chosen;
}

bool IsChosen(const ModelCard& card, const std::vector<EngineChoice>& choices) {
  return ChoiceFor(card, choices) != nullptr ||
         std::any_of(card.members.begin(), card.members.end(),
                     [&](const ModelCard& member) { return ChoiceFor(member, choices) != nullptr; });
}

Result<void> CheckEngines(const ModelRepository& repository, const std::vector<EngineChoice>& choices) {
  for (const EngineChoice& choice : choices) {
    const auto card = repository.Find(choice.model);
    if (!card)
      return Fail(card.error().code, fmt::format("--engine {}: {}", choice.model, card.error().message),
                  card.error().hint);
    if (card->ensemble)
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("--engine {}: expected a model with a network of its own, found an ensemble",
                              choice.model),
                  fmt::format("name its members instead: {}", MemberNames(*card->ensemble)));
  }
  return {};
}

}  // namespace unmask
