// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/instances.hpp"

#include <charconv>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "compat/tf_serving/python_json.hpp"

namespace unmask::compat {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownCharacters = 400;  // of an answer that makes no sense; the contract's number
constexpr std::size_t kTypicalNumber = 11;     // bytes, with its comma

void WriteNumber(float value, std::string& out) {
  if (!std::isfinite(value)) value = 0;
  char digits[32];
  const auto written = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, written.ptr);
}

/// Python's truth: what `a or b` goes by.
bool IsTrue(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return false;
    case Json::value_t::boolean:
      return value.get<bool>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      return value.get<double>() != 0;
    case Json::value_t::string:
      return !value.get_ref<const std::string&>().empty();
    default:
      return !value.empty();
  }
}

const Json* FindPredictions(const Json& answer) {
  if (!answer.is_object()) return nullptr;
  for (const char* const key : {"predictions", "outputs", "result"})
    if (const auto found = answer.find(key); found != answer.end() && IsTrue(*found)) return &*found;
  return nullptr;
}

/// A number under any number of one-element brackets.
std::optional<float> Score(const Json& value) {
  const Json* inner = &value;
  while (inner->is_array() && inner->size() == 1) inner = &(*inner)[0];
  if (!inner->is_number()) return std::nullopt;
  const auto score = inner->get<float>();
  return std::isfinite(score) ? std::optional(score) : std::nullopt;
}

/// One row for each instance, or the same within brackets of one element.
std::optional<std::vector<float>> Scores(const Json& predictions, std::size_t count) {
  const Json* rows = &predictions;
  while (rows->is_array() && rows->size() == 1 && (*rows)[0].is_array() && count != 1) rows = &(*rows)[0];
  if (!rows->is_array()) {
    const auto only = count == 1 ? Score(*rows) : std::nullopt;
    return only ? std::optional(std::vector{*only}) : std::nullopt;
  }
  if (rows->size() != count) return std::nullopt;
  std::vector<float> scores;
  scores.reserve(count);
  for (const auto& row : *rows) {
    const auto score = Score(row);
    if (!score) return std::nullopt;
    scores.push_back(*score);
  }
  return scores;
}

}  // namespace

std::string WriteInstances(std::span<const float> values, const InstanceShape& shape) {
  std::string out;
  out.reserve(values.size() * kTypicalNumber + 64);
  out += "{\"instances\": [";
  std::size_t at = 0;
  const auto list = [&out](std::size_t count, const auto& item) {
    out += '[';
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += ',';
      item();
    }
    out += ']';
  };
  for (std::size_t i = 0; i < shape.count; ++i) {
    if (i > 0) out += ',';
    list(shape.height,
         [&] { list(shape.width, [&] { list(shape.channels, [&] { WriteNumber(values[at++], out); }); }); });
  }
  out += "]}";
  return out;
}

Result<std::vector<float>> ReadPredictions(std::string_view answer, std::size_t count) {
  const auto json = ParsePythonJson(answer);
  if (!json) return Fail(ErrorCode::kInternal, json.error().message);
  const Json* const predictions = FindPredictions(*json);
  auto scores = predictions ? Scores(*predictions, count) : std::nullopt;
  if (!scores)
    return Fail(ErrorCode::kInternal,
                "Malformed TF Serving response: " +
                    std::string(FirstCharacters(DumpPythonJson(*json), kShownCharacters)),
                "the model must give one number for each picture");
  return std::move(*scores);
}

}  // namespace unmask::compat
