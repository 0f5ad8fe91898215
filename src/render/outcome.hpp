// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "unmask/error.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// What became of one file of a run: its report, or why there is none.
struct Outcome {
  std::string name;  ///< as the user called the file; untrusted text in any encoding
  Result<Report> report;
};

}  // namespace unmask
