// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "http/message.hpp"

namespace unmask::compat {

/// The CORS header fields of flask-cors with its defaults: any origin is welcome, by name when the request
/// names it, without credentials; on OPTIONS also what a preflight asks for.
void AddFlaskCors(const http::Request& request, http::Response& response);

/// The CORS header fields of Starlette's CORSMiddleware(allow_origins=["*"], allow_credentials=True,
/// allow_methods=["*"], allow_headers=["*"]): none without an Origin.
void AddStarletteCors(const http::Request& request, http::Response& response);

/// True for a request that Starlette's middleware takes for a preflight, whatever its path.
bool IsStarlettePreflight(const http::Request& request);

/// The answer to one: 200 with the text OK.
http::Response StarlettePreflight(const http::Request& request);

}  // namespace unmask::compat
