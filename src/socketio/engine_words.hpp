// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/message.hpp"
#include "socketio/engine_machine.hpp"
#include "socketio/options.hpp"

namespace unmask::socketio {

/// Why a request is not served.
enum class Refusal {
  kUnknownTransport,
  kUnknownSession,
  kBadMethod,          ///< a session is opened by GET
  kUnsupportedMethod,  ///< neither GET nor POST
  kBadRequest,
  kForbiddenOrigin,
  kUnsupportedProtocol,  ///< EIO is not 4
  kNoUpgrade,            ///< transport=websocket in a request that asks for none
  kWrongTransport,       ///< the session has moved to WebSocket
  kTooLarge,
  kTooManySessions,
  kTooManyOfAddress,
};

/// `about` is the session's id or the origin, for dialects that repeat it.
http::Response RefusalResponse(Dialect dialect, Refusal refusal, const std::string& about);

/// The answer to a POST that was taken.
http::Response PostResponse(Dialect dialect);

/// The answer to a poll.
http::Response PollResponse(const std::vector<EnginePacket>& packets);

/// The JSON of the open packet.
std::string Handshake(const Options& options, const std::string& sid, EngineTransport transport);

/// Adds the CORS headers that `options` ask for in an answer to `request`.
void AddCors(const Options& options, const http::Request& request, http::Response& response);

/// True when pages of the request's origin may connect.
bool OriginAllowed(const Options& options, const http::Request& request);

}  // namespace unmask::socketio
