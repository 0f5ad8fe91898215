// SPDX-License-Identifier: Apache-2.0
#include "evaluation/csv_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace unmask {
namespace {

/// Reads the text row by row.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  /// False when there is no row left.
  bool SkipBlankLines() {
    while (!AtEnd() && (text_[at_] == '\r' || text_[at_] == '\n')) SkipLineEnd();
    return !AtEnd();
  }

  CsvRow Next() {
    const std::size_t begin = at_;
    const std::size_t first_line = line_;
    CsvRow row{.line = first_line};
    for (;;) {
      std::string cell;
      if (!ReadCell(cell, row.error)) {
        at_ = begin;
        line_ = first_line;
        SkipLine();
        if (row.cells.empty()) row.cells.emplace_back();
        return row;
      }
      row.cells.push_back(std::move(cell));
      if (AtEnd()) return row;
      if (text_[at_] == ',') {
        ++at_;
        continue;
      }
      SkipLineEnd();
      return row;
    }
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }

  /// Stops at a comma, a line end or the end. False when the row is broken.
  bool ReadCell(std::string& cell, std::string& error) {
    if (!AtEnd() && text_[at_] == '"') return ReadQuoted(cell, error);
    const std::size_t end = std::min(text_.find_first_of(",\r\n\"", at_), text_.size());
    cell = text_.substr(at_, end - at_);
    at_ = end;
    if (!AtEnd() && text_[at_] == '"') {
      error = "a quote within an unquoted cell";
      return false;
    }
    return true;
  }

  bool ReadQuoted(std::string& cell, std::string& error) {
    ++at_;
    for (;;) {
      const std::size_t end = text_.find('"', at_);
      if (end == std::string_view::npos) {
        error = "a quoted cell without its closing quote";
        return false;
      }
      const std::string_view part = text_.substr(at_, end - at_);
      line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
      cell += part;
      at_ = end + 1;
      if (AtEnd() || text_[at_] != '"') break;
      cell += '"';
      ++at_;
    }
    if (AtEnd() || text_[at_] == ',' || text_[at_] == '\n' || text_[at_] == '\r') return true;
    error = "something behind a closing quote";
    return false;
  }

  void SkipLine() {
    at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
    SkipLineEnd();
  }

  void SkipLineEnd() {
    if (AtEnd()) return;
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++line_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> ReadCsv(std::string_view text) {
  std::vector<CsvRow> rows;
  for (Reader reader(text); reader.SkipBlankLines();) rows.push_back(reader.Next());
  return rows;
}

CsvTable::CsvTable(std::string_view text) : rows_(ReadCsv(text)) {
  if (rows_.empty()) return;
  if (rows_.front().error.empty()) columns_ = std::move(rows_.front().cells);
  rows_.erase(rows_.begin());
  for (CsvRow& row : rows_)
    if (row.error.empty() && row.cells.size() != columns_.size())
      row.error = fmt::format("{} cells, expected {}", row.cells.size(), columns_.size());
}

bool CsvTable::Has(std::string_view column) const {
  return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
}

std::string_view CsvTable::Cell(const CsvRow& row, std::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  const auto place = static_cast<std::size_t>(found - columns_.begin());
  return found == columns_.end() || place >= row.cells.size() ? std::string_view() : row.cells[place];
}

}  // namespace unmask
