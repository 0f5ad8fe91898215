// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "unmask/engine.hpp"
#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// Where a model's network runs when it does not run in this process.
struct RemoteEngine {
  enum class Protocol { kKserveV2, kTfServing };
  Protocol protocol = Protocol::kKserveV2;
  std::string url;      ///< "http://host:8000", with a path where a proxy has one; the protocol's own follows
  std::string model;    ///< its name there
  std::string version;  ///< a number; empty: the server chooses
  double connect_timeout = 2;  ///< seconds, 0.01..600
  double timeout = 10;         ///< seconds of silence before a call is given up, 0.01..3600
  double deadline = 30;        ///< seconds for one batch, retries and all, 0.01..3600
  int max_batch = 4;           ///< faces in one request, 1..1024; the server's own limit must not be lower
  int attempts = 3;            ///< of one batch, 1..10; see RetryOptions
  int failures = 5;            ///< in a row before the engine is left alone, 1..1000; see CircuitBreaker
  double pause = 5;            ///< seconds that it is left alone, 0.01..3600
};

/// "engine" of model.json:
///   {"type": "kserve-v2" | "tf-serving", "url": "http://host:8000", "model": "...", "version": "...",
///    "connect_timeout": 2, "timeout": 10, "deadline": 30, "max_batch": 4, "attempts": 3, "failures": 5,
///    "pause": 5}
/// `model` is its name there when "model" is absent. kBadRequest names the key that is missing, unknown or
/// out of range.
Result<RemoteEngine> ReadRemoteEngine(const nlohmann::json& json, const std::string& model);

/// That of a card, or that of `choices` for it (engine_choice.hpp); nothing when the model runs here.
/// kInternal for an "engine" that makes no sense, kBadRequest for such a choice.
Result<std::optional<RemoteEngine>> RemoteEngineOf(const ModelCard& card,
                                                   const std::vector<EngineChoice>& choices = {});

/// "kserve-v2" or "tf-serving".
std::string_view ProtocolName(RemoteEngine::Protocol protocol);

}  // namespace unmask
