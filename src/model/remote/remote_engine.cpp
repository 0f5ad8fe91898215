// SPDX-License-Identifier: Apache-2.0
#include "model/remote/remote_engine.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "model/remote/engine_choice.hpp"

namespace unmask {
namespace {

using nlohmann::json;
using Protocol = RemoteEngine::Protocol;

constexpr std::array kKeys{"type",    "url",      "model",     "version",  "connect_timeout",
                           "timeout", "deadline", "max_batch", "attempts", "failures",
                           "pause"};

tl::unexpected<Error> Bad(std::string message, std::string hint = {}) {
  return Fail(ErrorCode::kBadRequest, std::move(message), std::move(hint));
}

/// Names become parts of a path.
bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 255 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; }) &&
         text != "." && text != "..";
}

Result<void> Check(const RemoteEngine& engine) {
  const std::string_view url = engine.url;
  const bool http = url.starts_with("http://") || url.starts_with("https://");
  if (!http || url.substr(url.find("//") + 2).empty() ||
      url.find_first_of(" ?#\n\r\t") != std::string_view::npos)
    return Bad(fmt::format("engine.url is '{}' (expected http:// or https://, a host and a port)", url),
               "for example http://127.0.0.1:8000");
  if (!IsName(engine.model)) return Bad(fmt::format("engine.model '{}' is no name of a model", engine.model));
  const bool version =
      engine.version.empty() ||
      (engine.version.size() < 19 && engine.version.find_first_not_of("0123456789") == std::string::npos);
  if (!version) return Bad(fmt::format("engine.version is '{}' (expected a number)", engine.version));
  const auto range = [](const char* name, double value, double least, double most) -> Result<void> {
    if (value >= least && value <= most) return {};
    return Bad(fmt::format("engine.{} is {} (expected {} to {})", name, value, least, most));
  };
  for (const auto& checked :
       {range("connect_timeout", engine.connect_timeout, 0.01, 600),
        range("timeout", engine.timeout, 0.01, 3600), range("deadline", engine.deadline, 0.01, 3600),
        range("max_batch", engine.max_batch, 1, 1024), range("attempts", engine.attempts, 1, 10),
        range("failures", engine.failures, 1, 1000), range("pause", engine.pause, 0.01, 3600)})
    if (!checked) return checked;
  return {};
}

RemoteEngine Read(const json& j, const std::string& model) {
  if (!j.is_object()) throw std::runtime_error("engine must be an object");
  for (const auto& [key, value] : j.items())
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end())
      throw std::runtime_error(
          fmt::format("engine.{} is not known (expected {})", key, fmt::join(kKeys, ", ")));
  RemoteEngine engine;
  const std::string type = j.at("type");
  if (type == "kserve-v2")
    engine.protocol = Protocol::kKserveV2;
  else if (type == "tf-serving")
    engine.protocol = Protocol::kTfServing;
  else
    throw std::runtime_error(fmt::format("engine.type is \"{}\" (expected kserve-v2 or tf-serving)", type));
  engine.url = j.at("url");
  while (engine.url.ends_with('/')) engine.url.pop_back();
  engine.model = j.value("model", model);
  if (j.contains("version"))
    engine.version = j["version"].is_number_integer() ? std::to_string(j["version"].get<long>())
                                                      : j["version"].get<std::string>();
  engine.connect_timeout = j.value("connect_timeout", engine.connect_timeout);
  engine.timeout = j.value("timeout", engine.timeout);
  engine.deadline = j.value("deadline", engine.deadline);
  engine.max_batch = j.value("max_batch", engine.max_batch);
  engine.attempts = j.value("attempts", engine.attempts);
  engine.failures = j.value("failures", engine.failures);
  engine.pause = j.value("pause", engine.pause);
  return engine;
}

}  // namespace

Result<RemoteEngine> ReadRemoteEngine(const json& j, const std::string& model) {
  try {
    RemoteEngine engine = Read(j, model);
    if (auto checked = Check(engine); !checked) return tl::unexpected(checked.error());
    return engine;
  } catch (const std::exception& e) {
    return Bad(e.what());
  }
}

Result<std::optional<RemoteEngine>> RemoteEngineOf(const ModelCard& card,
                                                   const std::vector<EngineChoice>& choices) {
  const auto card_json = json::parse(card.json, nullptr, false);
  json stated = card_json.is_object() && card_json.contains("engine") ? card_json["engine"] : json();
  if (const EngineChoice* choice = ChoiceFor(card, choices)) {
    auto chosen = ReadEngineUrl(choice->url);
    if (!chosen) return tl::unexpected(chosen.error());
    if (stated.is_null()) stated = json::object();
    if (stated.is_object()) {
      stated.erase("version");  // was that of the other model
      stated.update(*chosen);
    }
  }
  if (stated.is_null()) return std::nullopt;
  auto engine = ReadRemoteEngine(stated, card.name);
  if (!engine)
    return Fail(ErrorCode::kInternal,
                fmt::format("model.json of {}:{}: {}", card.name, card.version, engine.error().message),
                engine.error().hint);
  return std::optional(std::move(*engine));
}

std::string_view ProtocolName(Protocol protocol) {
  return protocol == Protocol::kKserveV2 ? "kserve-v2" : "tf-serving";
}

}  // namespace unmask
