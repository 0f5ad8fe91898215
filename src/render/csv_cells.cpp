// SPDX-License-Identifier: Apache-2.0
#include "render/csv_cells.hpp"

#include <cmath>

#include <fmt/format.h>

#include "render/text.hpp"

namespace unmask {

std::string CsvText(std::string_view text) {
  std::string safe = EscapeForTerminal(text);
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
    safe.insert(safe.begin(), '\'');
  if (safe.find_first_of(",\"") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string CsvNumber(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string CsvLine(const std::vector<std::string>& cells) {
  return fmt::format("{}\r\n", fmt::join(cells, ","));
}

}  // namespace unmask
