// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "compat/mesonet/chunk_assembly.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

// What Python makes of a value that came as JSON; attachments are bytes.

/// "NoneType", "bool", "int", "float", "str", "bytes", "list" or "dict".
const char* PythonTypeName(const nlohmann::json& value);

/// bool(value)
bool PythonTruth(const nlohmann::json& value);

/// value == count
bool PythonEquals(const nlohmann::json& value, std::size_t count);

/// The value as a key; fails in Python's words for lists and dictionaries.
Result<ChunkId> ChunkIdOf(const nlohmann::json& value);

/// The failure of value.get(...) for what is no dictionary.
std::string NoGet(const nlohmann::json& value);

}  // namespace unmask::compat
