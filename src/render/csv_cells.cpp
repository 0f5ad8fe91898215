// SPDX-License-Identifier: Apache-2.0
#include "render/csv_cells.hpp"

#include <cmath>

#include <fmt/format.h>

#include "render/text.hpp"

namespace unmask {

std::string CsvCell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string NoFormula(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos)
    text.insert(text.begin(), '\'');
  return text;
}

std::string CsvText(std::string_view text) {
  return CsvCell(EscapeForTerminal(NoFormula(std::string(text))));
}

std::string CsvNumber(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string CsvLine(const std::vector<std::string>& cells) {
  return fmt::format("{}\r\n", fmt::join(cells, ","));
}

}  // namespace unmask
