// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "evaluation/evaluation.hpp"

namespace unmask {

/// The evaluation as JSON, "schema": "unmask.evaluation/1" (docs/evaluation.md lists the fields). Every
/// figure is {"value": number, "interval": [low, high]} or {"value": null, "reason": text}. Numbers have at
/// most 9 decimals. Curves of more than 1,000 points are thinned evenly and say so.
std::string EvaluationJson(const Evaluation& evaluation);

}  // namespace unmask
