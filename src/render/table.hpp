// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "render/outcome.hpp"

namespace unmask {

struct TableStyle {
  int width = 100;     ///< columns of the terminal; at least 40 are used
  bool color = false;  ///< with ANSI colours
};

/// A table that can be printed row by row: the header, ToTable() of each report, and the totals.
std::string TableHeader(const TableStyle& style);

/// One line for the file and, below it, one for each track: its time, faces, score, verdict, segments and
/// reasons. Names are escaped and shortened to fit; no line is wider than the style says.
std::string ToTable(const Report& report, const TableStyle& style);

/// What a run came to.
struct Totals {
  int manipulated = 0;
  int no_manipulation_found = 0;
  int inconclusive = 0;
  int failed = 0;

  void Add(const Outcome& outcome);
};

/// One line, e.g. "4 files: 1 manipulated, 2 no manipulation found, 1 inconclusive".
std::string TableFooter(const Totals& totals, const TableStyle& style);

}  // namespace unmask
