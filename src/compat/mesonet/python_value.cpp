// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/python_value.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace unmask::compat {

using Json = nlohmann::json;

const char* PythonTypeName(const Json& value) {
  switch (value.type()) {
    case Json::value_t::boolean:
      return "bool";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "int";
    case Json::value_t::number_float:
      return "float";
    case Json::value_t::string:
      return "str";
    case Json::value_t::binary:
      return "bytes";
    case Json::value_t::array:
      return "list";
    case Json::value_t::object:
      return "dict";
    default:
      return "NoneType";
  }
}

bool PythonTruth(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  if (value.is_binary()) return !value.get_binary().empty();
  return !value.empty();
}

bool PythonEquals(const Json& value, std::size_t count) {
  if (value.is_boolean()) return value.get<bool>() ? count == 1 : count == 0;
  return value.is_number() && value.get<double>() == static_cast<double>(count);
}

Result<ChunkId> ChunkIdOf(const Json& value) {
  ChunkId id{.kind = ChunkId::Kind::kNumber, .number = 0, .text = "", .python_type = PythonTypeName(value)};
  switch (value.type()) {
    case Json::value_t::null:
      id.kind = ChunkId::Kind::kNone;
      return id;
    case Json::value_t::boolean:
      id.number = value.get<bool>() ? 1 : 0;
      return id;
    case Json::value_t::number_integer:
      id.number = static_cast<long double>(value.get<std::int64_t>());
      return id;
    case Json::value_t::number_unsigned:
      id.number = static_cast<long double>(value.get<std::uint64_t>());
      return id;
    case Json::value_t::number_float:
      id.number = static_cast<long double>(value.get<double>());
      return id;
    case Json::value_t::string:
      id.kind = ChunkId::Kind::kText;
      id.text = value.get<std::string>();
      return id;
    default:
      return Fail(ErrorCode::kBadRequest, fmt::format("unhashable type: '{}'", id.python_type));
  }
}

std::string NoGet(const Json& value) {
  return fmt::format("'{}' object has no attribute 'get'", PythonTypeName(value));
}

}  // namespace unmask::compat
