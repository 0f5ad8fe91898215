// SPDX-License-Identifier: Apache-2.0
#include "http/query.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unmask::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Values come back in messages: keep them short.
std::string Shown(const std::string& value) {
  return value.size() <= 64 ? value : value.substr(0, 61) + "...";
}

template <typename T>
Result<T> Parse(std::string_view name, const std::string* text, T least, T most, T fallback,
                std::string_view kind) {
  if (!text) return fallback;
  T value{};
  const char* const end = text->data() + text->size();
  std::from_chars_result parsed{};
  if constexpr (std::is_floating_point_v<T>)
    parsed = std::from_chars(text->data(), end, value, std::chars_format::fixed);
  else
    parsed = std::from_chars(text->data(), end, value);
  // "!(a && b)" also catches NaN.
  if (parsed.ec != std::errc() || parsed.ptr != end || !(value >= least && value <= most))
    return Fail(ErrorCode::kBadRequest, fmt::format("{} must be {} between {} and {}, found '{}'", name, kind,
                                                    least, most, Shown(*text)));
  return value;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

Result<std::vector<Parameter>> ParseQuery(std::string_view query) {
  std::vector<Parameter> parameters;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = PercentDecode(pair.substr(0, equals), true);
    auto value = PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return Fail(ErrorCode::kBadRequest, "the query has a malformed percent escape");
    parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

Result<void> QueryReader::Accepts(std::initializer_list<std::string_view> known) const {
  for (auto it = request_.query.begin(); it != request_.query.end(); ++it) {
    if (std::find(known.begin(), known.end(), it->first) == known.end()) {
      if (known.size() == 0)
        return Fail(ErrorCode::kBadRequest,
                    fmt::format("expected no query parameters here, found '{}'", Shown(it->first)));
      return Fail(ErrorCode::kBadRequest, fmt::format("unknown query parameter '{}', expected one of {}",
                                                      Shown(it->first), fmt::join(known, ", ")));
    }
    if (std::any_of(request_.query.begin(), it, [&](const Parameter& p) { return p.first == it->first; }))
      return Fail(ErrorCode::kBadRequest, fmt::format("{} is given twice, expected once", it->first));
  }
  return {};
}

const std::string* QueryReader::Text(std::string_view name) const {
  for (const auto& [key, value] : request_.query)
    if (key == name) return &value;
  return nullptr;
}

Result<double> QueryReader::Number(std::string_view name, double least, double most, double fallback) const {
  return Parse(name, Text(name), least, most, fallback, "a number");
}

Result<std::int64_t> QueryReader::Integer(std::string_view name, std::int64_t least, std::int64_t most,
                                          std::int64_t fallback) const {
  return Parse(name, Text(name), least, most, fallback, "a whole number");
}

Result<std::optional<std::size_t>> QueryReader::Choice(
    std::string_view name, std::initializer_list<std::string_view> choices) const {
  const auto* text = Text(name);
  if (!text) return std::nullopt;
  const auto found = std::find(choices.begin(), choices.end(), *text);
  if (found == choices.end())
    return Fail(ErrorCode::kBadRequest,
                fmt::format("{} must be {}, found '{}'", name, fmt::join(choices, " or "), Shown(*text)));
  return static_cast<std::size_t>(found - choices.begin());
}

}  // namespace unmask::http
