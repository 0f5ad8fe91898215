// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/routes.hpp"

namespace unmask {

/// Answers with server-sent events (HTML Living Standard, 9.2): `progress` with the analysis object, without
/// its report, whenever it changes, then `done` with the report, or `failed`. An event's id tells what it
/// showed; with Last-Event-ID the client gets the present state again unless that was the last event it has
/// seen. A comment every 15 seconds keeps proxies from closing the stream.
void StreamEvents(const ApiContext& context, const http::RequestPtr& request, http::Responder responder);

}  // namespace unmask
