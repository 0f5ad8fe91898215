// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as CSV. What was read, written again and read once more must be the same cells.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "evaluation/csv_reader.hpp"
#include "render/csv_cells.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t line = 0;
  for (const unmask::CsvRow& row : unmask::ReadCsv(text)) {
    if (row.line <= line || row.cells.empty()) std::abort();
    line = row.line;
    if (!row.error.empty()) continue;
    std::string written = row.cells.size() == 1 && row.cells[0].empty() ? "\"\"" : "";
    for (std::size_t i = 0; i < row.cells.size(); ++i)
      written += (i == 0 ? "" : ",") + unmask::CsvCell(row.cells[i]);
    // A byte order mark in a cell would be taken for the file's own.
    const auto again = unmask::ReadCsv("x\n" + written);
    if (again.size() != 2 || again[1].cells != row.cells) std::abort();
  }
  return 0;
}
