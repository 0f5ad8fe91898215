// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

namespace unmask {
namespace {

/// Levenshtein's distance.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row[b.size()];
}

}  // namespace

Result<double> ParseNumber(std::string_view text, double least, double most) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) || value < least ||
      value > most)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected a number from {} to {}, found '{}'", least, most, text));
  return value;
}

Result<std::int64_t> ParseWhole(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected a whole number from {} to {}, found '{}'", least, most, text));
  return value;
}

Result<std::uint64_t> ParseBytes(std::string_view text) {
  const auto wrong = [&] {
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected a number of bytes such as 512K, 64M or 2G, found '{}'", text));
  };
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return wrong();
  std::string unit(end, text.data() + text.size());
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::toupper(c); });
  if (unit.ends_with("IB"))
    unit.resize(unit.size() - 2);
  else if (unit.ends_with("B"))
    unit.resize(unit.size() - 1);
  constexpr std::string_view kUnits = "KMGT";
  int shift = 0;
  if (unit.size() == 1 && kUnits.find(unit[0]) != std::string_view::npos)
    shift = 10 * (static_cast<int>(kUnits.find(unit[0])) + 1);
  else if (!unit.empty())
    return wrong();
  if (value > (std::numeric_limits<std::uint64_t>::max() >> shift)) return wrong();
  return value << shift;
}

std::string ClosestWord(std::string_view word, const std::vector<std::string>& known) {
  std::string closest;
  std::size_t least =
      word.size() <= 3 ? 2 : std::max<std::size_t>(2, word.size() / 3) + 1;  // what still counts as near
  for (const std::string& candidate : known) {
    const std::size_t distance = EditDistance(word, candidate);
    if (distance < least) least = distance, closest = candidate;
  }
  return closest;
}

}  // namespace unmask
