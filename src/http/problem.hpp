// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/message.hpp"
#include "unmask/error.hpp"

namespace unmask::http {

/// The one table from error codes to HTTP (native-api, section 3).
int HttpStatus(ErrorCode code);

/// application/problem+json (RFC 9457): type, title, status, detail, code, trace_id, and hint and limit when
/// the error has them; `extra` adds string members at the end. kOverloaded carries Retry-After.
Response Problem(const Error& error, const std::string& trace_id,
                 const std::vector<std::pair<std::string, std::string>>& extra = {});

/// The seconds in Retry-After when a queue or the table of connections is full.
inline constexpr int kRetryAfterSeconds = 5;

}  // namespace unmask::http
