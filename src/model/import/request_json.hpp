// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "model/import/import.hpp"

namespace unmask {

/// Between the two processes of an import.
nlohmann::json ToJson(const ImportRequest& request);

/// Throws json::exception.
ImportRequest RequestFrom(const nlohmann::json& json);

}  // namespace unmask
