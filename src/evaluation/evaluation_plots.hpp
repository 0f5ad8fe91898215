// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "evaluation/evaluation.hpp"

namespace unmask {

/// The plots of the evaluation's page, each a <figure>, or empty when there is nothing to draw.

std::string RocPlot(const Evaluation& evaluation);
std::string DetPlot(const Evaluation& evaluation);
std::string ReliabilityPlot(const Evaluation& evaluation);
std::string ScorePlot(const Evaluation& evaluation);
std::string LogitPlot(const Evaluation& evaluation);
std::string RiskCoveragePlot(const Evaluation& evaluation);
std::string DegradedAucPlot(const Evaluation& evaluation);
std::string FlipPlot(const Evaluation& evaluation);
std::string GroupPlot(const Evaluation& evaluation);

}  // namespace unmask
