// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unmask {

/// One line of a CSV file, or why it is none.
struct CsvRow {
  std::size_t line = 0;            ///< where it begins, from 1
  std::vector<std::string> cells;  ///< at least one
  std::string error;               ///< what is wrong with it; empty when it is well
};

/// Reads RFC 4180: commas, cells in double quotes with doubled quotes inside, LF or CR LF, an optional byte
/// order mark. A quoted cell may hold line ends. Lines without any character are left out. A row with a stray
/// quote or without the closing one gets an error, and reading goes on with the next line (after an unclosed
/// quote: with the line after the one where it opened). Total: any bytes give rows; linear in their number.
std::vector<CsvRow> ReadCsv(std::string_view text);

/// A CSV file whose first row names the columns.
class CsvTable {
 public:
  explicit CsvTable(std::string_view text);

  const std::vector<std::string>& columns() const { return columns_; }

  /// Rows below the header. One with another number of cells than the header has an error.
  const std::vector<CsvRow>& rows() const { return rows_; }

  bool Has(std::string_view column) const;

  /// The cell of a named column; empty when there is none.
  std::string_view Cell(const CsvRow& row, std::string_view column) const;

 private:
  std::vector<std::string> columns_;
  std::vector<CsvRow> rows_;
};

}  // namespace unmask
