// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "evaluation/evaluation.hpp"

namespace unmask {

/// How figures are computed.
struct SummaryOptions {
  Thresholds thresholds;
  int bootstrap_rounds =
      2000;  ///< enough for two decimals of a percentile (Efron and Tibshirani 1993); 0: none
  std::uint64_t seed = 1;
  std::size_t min_group = 20;  ///< files of each class that a group needs to be named the worst
};

/// What the bootstrap draws a sample with: its cluster, or itself when it has none; `index` is its place.
std::string ClusterOf(const Sample& sample, std::size_t index);

/// All figures of a run: `passes` has the clean one first, each with one outcome for each sample. Failed
/// samples are added to `skipped` by the name of their error. Ranks go by logits when every score has one, as
/// a probability near 0 or 1 has no digits left to rank by, else by scores. Fills all but `run`, of which it
/// fills the number of clusters and what `options` says.
Evaluation Summarise(Dataset dataset, std::span<const Pass> passes, const SummaryOptions& options);

}  // namespace unmask
