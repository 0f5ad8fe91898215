// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "unmask/error.hpp"

namespace unmask::compat {

/// Reads JSON as Python's json.loads() does: NaN, Infinity and -Infinity are numbers, and of equal keys the
/// last one counts. TensorFlow Serving writes such tokens, which strict parsers refuse. Fails with
/// kBadRequest in Python's words, e.g. "Expecting value: line 1 column 1 (char 0)"; nesting deeper than 64
/// fails, too. Whole numbers beyond 64 bits become doubles.
Result<nlohmann::ordered_json> ParsePythonJson(std::string_view text);

/// Writes JSON as Python's json.dumps() does: ", " and ": " between things, ASCII alone, NaN and Infinity.
std::string DumpPythonJson(const nlohmann::ordered_json& value);

/// The first `count` characters of UTF-8 text.
std::string_view FirstCharacters(std::string_view text, std::size_t count);

}  // namespace unmask::compat
