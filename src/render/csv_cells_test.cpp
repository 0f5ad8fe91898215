// SPDX-License-Identifier: Apache-2.0
#include "render/csv_cells.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace unmask {
namespace {

TEST(CsvCells, QuoteCommasAndQuotes) {
  EXPECT_EQ(CsvText("plain"), "plain");
  EXPECT_EQ(CsvText("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvText("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(CsvText(""), "");
}

TEST(CsvCells, StayOnOneLineAndAreNoFormula) {
  EXPECT_EQ(CsvText("a\nb"), "a\\nb");
  EXPECT_EQ(CsvText("=1+1"), "'=1+1");
}

TEST(CsvCells, NumbersAreReadBackTheSame) {
  EXPECT_EQ(std::stod(CsvNumber(0.1 + 0.2)), 0.1 + 0.2);
  EXPECT_EQ(CsvNumber(2), "2");
  EXPECT_EQ(CsvNumber(std::numeric_limits<double>::quiet_NaN()), "");
}

TEST(CsvCells, MakeALine) { EXPECT_EQ(CsvLine({"a", "", "b"}), "a,,b\r\n"); }

}  // namespace
}  // namespace unmask
