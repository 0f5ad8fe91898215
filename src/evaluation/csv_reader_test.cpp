// SPDX-License-Identifier: Apache-2.0
#include "evaluation/csv_reader.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "render/csv_cells.hpp"

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> CellsOf(std::string_view line) {
  const auto rows = ReadCsv(line);
  return rows.size() == 1 ? rows[0].cells : std::vector<std::string>{"not one row"};
}

TEST(ReadCsv, SplitsAtCommas) {
  EXPECT_THAT(CellsOf("a,b,c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(CellsOf(",,"), ElementsAre("", "", ""));
  EXPECT_THAT(CellsOf("a,\n"), ElementsAre("a", ""));
}

TEST(ReadCsv, UnderstandsQuotes) {
  EXPECT_THAT(CellsOf(R"("a,b",c)"), ElementsAre("a,b", "c"));
  EXPECT_THAT(CellsOf(R"("say ""no""",)"), ElementsAre("say \"no\"", ""));
  EXPECT_THAT(CellsOf("\"two\nlines\",x"), ElementsAre("two\nlines", "x"));
  EXPECT_THAT(CellsOf("\"\""), ElementsAre(""));
}

TEST(ReadCsv, TakesEveryLineEndAndAByteOrderMark) {
  const auto rows = ReadCsv(
      "\xEF\xBB\xBF"
      "a\r\nb\nc\rd");
  ASSERT_EQ(rows.size(), 4U);
  for (const auto& [row, text, line] : {std::tuple(rows[0], "a", 1U), std::tuple(rows[3], "d", 4U)}) {
    EXPECT_THAT(row.cells, ElementsAre(text));
    EXPECT_EQ(row.line, line);
  }
}

TEST(ReadCsv, LeavesOutBlankLinesButCountsThem) {
  const auto rows = ReadCsv("a\n\n\r\nb\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].line, 4U);
  EXPECT_THAT(ReadCsv(""), IsEmpty());
}

TEST(ReadCsv, CountsLinesWithinQuotes) {
  const auto rows = ReadCsv("\"a\nb\n\",x\nlast\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].line, 4U);
}

TEST(ReadCsv, GoesOnBehindABrokenLine) {
  for (const char* broken : {"a\"b", "\"a\"b,c", "x,\"never closed"}) {
    const auto rows = ReadCsv(std::string("first,1\n") + broken + "\nlast,2\n");
    ASSERT_EQ(rows.size(), 3U) << broken;
    EXPECT_FALSE(rows[1].error.empty()) << broken;
    EXPECT_EQ(rows[1].line, 2U);
    EXPECT_TRUE(rows[2].error.empty()) << broken;
    EXPECT_THAT(rows[2].cells, ElementsAre("last", "2"));
    EXPECT_EQ(rows[2].line, 3U);
  }
}

TEST(ReadCsv, ReadsBackWhatCsvCellWrites) {
  std::mt19937 random(1);
  constexpr std::string_view kLetters = "ab,\"\r\n \xC3\xA9";
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> cells(1 + random() % 4);
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      for (std::size_t n = random() % 6; n > 0; --n) cells[i] += kLetters[random() % kLetters.size()];
      line += (i == 0 ? "" : ",") + CsvCell(cells[i]);
    }
    if (cells.size() == 1 && cells[0].empty()) continue;  // a blank line
    EXPECT_EQ(CellsOf(line + "\n"), cells) << line;
  }
}

TEST(ReadCsv, TakesAnyBytes) {
  std::mt19937 random(2);
  constexpr std::string_view kBytes("\"\",,\n\r\0a\xFF", 10);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (std::size_t n = random() % 40; n > 0; --n) text += kBytes[random() % kBytes.size()];
    std::size_t line = 0;
    for (const CsvRow& row : ReadCsv(text)) {
      EXPECT_FALSE(row.cells.empty());
      EXPECT_GT(row.line, line);
      line = row.line;
    }
  }
}

TEST(CsvTable, FindsCellsByTheirColumn) {
  const CsvTable table("path,label\na.jpg,real\nb.jpg,fake\n");
  EXPECT_TRUE(table.Has("label"));
  EXPECT_FALSE(table.Has("group"));
  ASSERT_EQ(table.rows().size(), 2U);
  EXPECT_EQ(table.Cell(table.rows()[1], "path"), "b.jpg");
  EXPECT_EQ(table.Cell(table.rows()[1], "group"), "");
}

TEST(CsvTable, SaysWhichRowsHaveTheWrongNumberOfCells) {
  const CsvTable table("path,label\na.jpg\nb.jpg,fake,more\nc.jpg,real\n");
  EXPECT_EQ(table.rows()[0].error, "1 cells, expected 2");
  EXPECT_EQ(table.rows()[1].error, "3 cells, expected 2");
  EXPECT_EQ(table.rows()[2].error, "");
}

TEST(CsvTable, OfNothingHasNoColumns) {
  EXPECT_THAT(CsvTable("").columns(), IsEmpty());
  EXPECT_THAT(CsvTable("a\"b\nc\n").columns(), IsEmpty());
}

}  // namespace
}  // namespace unmask
