// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unmask {

/// A cell with exactly this content (RFC 4180): quoted when it holds a comma, a quote or a line end.
std::string CsvCell(std::string_view text);

/// Text from outside as the content of a cell: what a spreadsheet could take for a formula (it begins with
/// = + - @, tab or carriage return) gets a leading apostrophe.
std::string NoFormula(std::string text);

/// Untrusted text as a cell of a CSV file (RFC 4180): one line of valid UTF-8 as EscapeForTerminal() makes
/// it, and NoFormula().
std::string CsvText(std::string_view text);

/// A number as a cell, with as many digits as it takes to read the same number back; empty when not finite.
std::string CsvNumber(double value);

/// Cells that are ready, as one line with its end (CR LF).
std::string CsvLine(const std::vector<std::string>& cells);

}  // namespace unmask
