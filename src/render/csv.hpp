// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "unmask/report.hpp"

namespace unmask {

/// The names of the columns, with the line end (RFC 4180: CR LF).
std::string CsvHeader();

/// One line for one file. A cell of text that a spreadsheet could take for a formula (it begins with = + - @,
/// tab or carriage return) gets a leading apostrophe. Numbers as in the JSON; absent ones are empty.
std::string ToCsv(const Report& report);

}  // namespace unmask
