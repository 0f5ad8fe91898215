// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "evaluation/dataset.hpp"
#include "evaluation/outcome.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// Files of scores: what `unmask evaluate --scores` writes and `--input scores` reads.

/// The columns path,label,group,score,logit,verdict,reasons, one line a sample, RFC 4180. Numbers have all
/// their digits; reasons are separated by spaces. A file that could not be analysed has no score and no
/// verdict, and its error's code as the reason. A cell that a spreadsheet could take for a formula gets a
/// leading apostrophe.
std::string ScoresCsv(std::span<const Sample> samples, std::span<const SampleOutcome> outcomes);

/// The columns beside path, label, group and cluster that scores are read from: score, and if present logit,
/// verdict and reasons. For DatasetRequest::cells.
const std::vector<std::string>& ScoreColumns();

/// The outcomes of samples that carry the cells of ScoreColumns(). Samples whose cells make no sense are
/// taken out of `dataset` and counted as bad_line. Without a verdict the thresholds decide. A line with
/// neither score nor verdict is a file that its detector could not analyse when the file has a column
/// verdict, else one without a score.
std::vector<SampleOutcome> OutcomesOfScores(Dataset& dataset, const Thresholds& thresholds);

}  // namespace unmask
