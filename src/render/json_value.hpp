// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "render/json.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// What ToJson() prints, as a value for others to put into theirs; options.indent does not matter. Print it
/// with PrintJson(). Include <nlohmann/json.hpp> in the .cpp that uses it.
nlohmann::ordered_json ToJsonValue(const Report& report, const JsonOptions& options = {});

/// {"code", "message"} with "hint" and "limit" when there are any.
nlohmann::ordered_json ToJsonValue(const Error& error);

/// Every face of the report, as in its "faces".
nlohmann::ordered_json FacesToJsonValue(const Report& report);

/// Serialises without throwing: strings that are no UTF-8 get U+FFFD for the broken bytes.
std::string PrintJson(const nlohmann::ordered_json& value, int indent = -1);

}  // namespace unmask
