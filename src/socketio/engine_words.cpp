// SPDX-License-Identifier: Apache-2.0
#include "socketio/engine_words.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/problem.hpp"

namespace unmask::socketio {
namespace {

http::Response PlainText(int status, std::string body) {
  return {.status = status, .content_type = "text/plain", .body = std::move(body)};
}

/// The codes and messages of the reference's error bodies.
struct Words {
  int code;
  const char* message;
};

Words ReferenceWords(Refusal refusal) {
  switch (refusal) {
    case Refusal::kUnknownTransport:
      return {0, "Transport unknown"};
    case Refusal::kUnknownSession:
      return {1, "Session ID unknown"};
    case Refusal::kBadMethod:
    case Refusal::kUnsupportedMethod:
      return {2, "Bad handshake method"};
    case Refusal::kForbiddenOrigin:
      return {4, "Forbidden"};
    case Refusal::kUnsupportedProtocol:
      return {5, "Unsupported protocol version"};
    case Refusal::kTooLarge:
      return {3, "Payload too large"};
    case Refusal::kTooManySessions:
    case Refusal::kTooManyOfAddress:
      return {3, "Too many sessions"};
    case Refusal::kBadRequest:
    case Refusal::kNoUpgrade:
    case Refusal::kWrongTransport:
      break;
  }
  return {3, "Bad request"};
}

std::string PythonWords(Refusal refusal, const std::string& about) {
  switch (refusal) {
    case Refusal::kUnknownTransport:
      return "Invalid transport";
    case Refusal::kUnknownSession:
    case Refusal::kBadMethod:  // to python-engineio a POST without a session has session None
      return "Invalid session " + (about.empty() ? "None" : about);
    case Refusal::kForbiddenOrigin:
      return about + " is not an accepted origin.";
    case Refusal::kUnsupportedProtocol:
      return "The client is using an unsupported version of the Socket.IO or Engine.IO protocols";
    case Refusal::kNoUpgrade:
      return "Invalid websocket upgrade";
    case Refusal::kWrongTransport:
      return "Unexpected HTTP request";
    case Refusal::kTooLarge:
      return "Payload too large";
    case Refusal::kTooManySessions:
    case Refusal::kTooManyOfAddress:
      return "Too many sessions";
    case Refusal::kBadRequest:
    case Refusal::kUnsupportedMethod:
      break;
  }
  return "Bad Request";
}

int StatusOf(Dialect dialect, Refusal refusal) {
  switch (refusal) {
    case Refusal::kTooLarge:
      return 413;
    case Refusal::kTooManySessions:
      return 503;
    case Refusal::kTooManyOfAddress:
      return 429;
    case Refusal::kForbiddenOrigin:
      return dialect == Dialect::kReference ? 403 : 400;
    default:
      return 400;
  }
}

long Milliseconds(double seconds) { return std::lround(seconds * 1000); }

}  // namespace

http::Response RefusalResponse(Dialect dialect, Refusal refusal, const std::string& about) {
  using Json = nlohmann::ordered_json;
  constexpr auto kReplace = Json::error_handler_t::replace;
  const int status = StatusOf(dialect, refusal);
  http::Response response;
  if (dialect == Dialect::kReference) {
    const auto [code, message] = ReferenceWords(refusal);
    response = http::JsonResponse(status, Json{{"code", code}, {"message", message}}.dump());
  } else if (refusal == Refusal::kUnsupportedMethod) {
    response = PlainText(405, "Method Not Found");
  } else {
    response = PlainText(status, Json(PythonWords(refusal, about)).dump(-1, ' ', true, kReplace));
  }
  if (status == 503 || status == 429)
    response.headers.Set("Retry-After", std::to_string(http::kRetryAfterSeconds));
  return response;
}

http::Response PostResponse(Dialect dialect) {
  if (dialect == Dialect::kPythonEngineIo) return PlainText(200, "OK");
  return {.content_type = "text/plain; charset=UTF-8", .body = "ok"};
}

http::Response PollResponse(const std::vector<EnginePacket>& packets) {
  http::Response response{.content_type = "text/plain; charset=UTF-8", .body = EncodePayload(packets)};
  response.headers.Set("Cache-Control", "no-store");
  return response;
}

std::string Handshake(const Options& options, const std::string& sid, EngineTransport transport) {
  using Json = nlohmann::ordered_json;
  const auto interval = Milliseconds(options.ping_interval);
  const auto timeout = Milliseconds(options.ping_timeout);
  Json json{{"sid", sid}, {"upgrades", Json::array()}};
  if (transport == EngineTransport::kPolling) json["upgrades"].push_back("websocket");
  if (options.dialect == Dialect::kPythonEngineIo) json["pingTimeout"] = timeout;
  json["pingInterval"] = interval;
  json["pingTimeout"] = timeout;  // keeps its place when it is there already
  json["maxPayload"] = options.max_payload;
  return json.dump();
}

void AddCors(const Options& options, const http::Request& request, http::Response& response) {
  const auto* origin = request.headers.Find("Origin");
  if (!options.cors) return;
  if (origin && OriginAllowed(options, request)) response.headers.Set("Access-Control-Allow-Origin", *origin);
  response.headers.Set("Access-Control-Allow-Credentials", "true");
  if (request.method == "OPTIONS") {
    response.headers.Set("Access-Control-Allow-Methods", "OPTIONS, GET, POST");
  }
  if (const auto* wanted = request.headers.Find("Access-Control-Request-Headers"))
    response.headers.Set("Access-Control-Allow-Headers", *wanted);
  response.headers.Set("Vary", "Origin");
}

bool OriginAllowed(const Options& options, const http::Request& request) {
  const auto& allowed = options.allowed_origins;
  const auto* origin = request.headers.Find("Origin");
  return !origin || allowed.empty() || std::find(allowed.begin(), allowed.end(), *origin) != allowed.end();
}

}  // namespace unmask::socketio
