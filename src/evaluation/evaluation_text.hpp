// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "evaluation/evaluation.hpp"

namespace unmask {

/// A summary for a terminal, at most 100 columns wide but for long names. Names are escaped.
std::string EvaluationText(const Evaluation& evaluation);

/// "0.935 (0.923 – 0.946)", or "– (no manipulated file has a score)".
std::string FormatEstimate(const Estimate& estimate, int decimals = 4);

/// The same in percent: "56.5 % (46.4 – 63.0)".
std::string FormatPercent(const Estimate& estimate, int decimals = 1);

}  // namespace unmask
