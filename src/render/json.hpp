// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "render/outcome.hpp"
#include "unmask/report.hpp"

namespace unmask {

struct JsonOptions {
  bool faces = false;  ///< with every face; the default answer is small
  int indent = -1;     ///< spaces a level; -1: all on one line
};

/// The report as native-api section 1 shows it: the same fields in the same order, null for what is absent.
/// Scores and logits have at most 6 decimals, times 3, angles 1, boxes and milliseconds none, so that equal
/// reports are equal text. Always valid UTF-8: broken bytes of a file name become U+FFFD.
std::string ToJson(const Report& report, const JsonOptions& options = {});

/// A report, or {"media": {"name": ...}, "error": {"code", "message", "hint", "limit"}} for a file that
/// failed; hint and limit only when there are any.
std::string ToJson(const Outcome& outcome, const JsonOptions& options = {});

}  // namespace unmask
