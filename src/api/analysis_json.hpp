// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "api/service.hpp"

namespace unmask {

/// The analysis object of native-api, section 3: id, state, progress, created, finished, report, error.
nlohmann::ordered_json ToJsonValue(const AnalysisRecord& record, bool faces);

/// RFC 3339 in UTC with milliseconds, e.g. "2026-01-31T23:59:59.123Z".
std::string FormatTimestamp(double seconds_since_1970);

}  // namespace unmask
