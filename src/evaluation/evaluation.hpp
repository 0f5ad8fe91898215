// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/dataset.hpp"
#include "evaluation/metrics/bootstrap.hpp"
#include "evaluation/metrics/decisions.hpp"
#include "evaluation/metrics/probability.hpp"
#include "evaluation/metrics/ranking.hpp"
#include "evaluation/outcome.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// The result of an evaluation: what its renderings (text, JSON, HTML) show. A plain value.

/// A figure with its 95 % interval.
struct Estimate {
  Figure value = NoFigure("not computed");
  std::optional<Interval> interval;  ///< absent without a value, or when no interval could be drawn
};

/// What became of the files of one class.
struct ClassCounts {
  std::size_t files = 0;
  std::size_t manipulated = 0;  ///< verdicts
  std::size_t no_manipulation_found = 0;
  std::size_t inconclusive = 0;
  std::size_t failed = 0;                      ///< could not be analysed
  std::size_t no_face = 0;                     ///< of the inconclusive: nothing to score
  std::size_t scored = 0;                      ///< have a score
  std::map<std::string, std::size_t> reasons;  ///< files by reason; one may have several
};

/// What one threshold does.
struct AtThreshold {
  std::string name;      ///< "manipulated" or "clear", as in model.json
  double threshold = 0;  ///< of a single face, or the one that was asked for
  /// Files that were decided by another one: a track of many faces has its own. They are counted by that.
  std::size_t by_another = 0;
  ConfusionMatrix matrix;
  Estimate fpr;        ///< share of the scored authentic files at or above theirs
  Estimate tpr;        ///< share of the scored manipulated files at or above theirs
  Estimate precision;  ///< share of the manipulated among those, in this set
};

/// The product's own answers: verdicts rather than thresholds.
struct Decisions {
  Estimate inconclusive;         ///< share of the analysed files without an answer
  Estimate error;                ///< share of wrong answers among the answers
  Estimate authentic_accused;    ///< share of the analysed authentic files called manipulated
  Estimate manipulated_found;    ///< share of the analysed manipulated files called manipulated
  Estimate manipulated_cleared;  ///< share of the analysed manipulated files where nothing was found
};

/// All numbers of one pass over the files.
struct Figures {
  ClassCounts authentic;
  ClassCounts manipulated;
  Estimate auc;
  Estimate average_precision;
  Estimate equal_error_rate;
  Estimate tpr_at_fpr_1;   ///< at a false-positive rate of 1 %
  Estimate tpr_at_fpr_01;  ///< of 0.1 %
  Estimate log_loss;
  Estimate brier;
  Estimate ece;
  Estimate aurc;
  std::vector<AtThreshold> thresholds;
  Decisions decisions;
  Estimate no_face;  ///< share of the analysed files without a face
};

/// What is drawn.
struct Curves {
  std::vector<RocPoint> roc;
  std::vector<ReliabilityBin> reliability;
  std::vector<RiskCoveragePoint> risk_coverage;
  std::vector<HistogramBin> scores;
  std::vector<HistogramBin> logits;
};

/// The figures of the files of one group.
struct GroupFigures {
  std::string name;  ///< untrusted
  ClassCounts authentic;
  ClassCounts manipulated;
  Estimate auc;
  Estimate fpr;  ///< at the threshold "manipulated"
  Estimate tpr;
};

/// A figure at its worst over the groups that have enough files for it.
struct WorstGroup {
  std::string figure;  ///< "auc", "fpr_at_manipulated" or "tpr_at_manipulated"
  std::string group;
  double value = 0;
};

/// One degradation, measured against the clean pass.
struct DegradedFigures {
  std::string name;
  std::string description;
  Figures figures;
  Estimate auc_change;      ///< degraded minus clean, over the files that both scored, drawn in pairs
  Estimate flips;           ///< share of the files whose verdict differs from the clean one
  Estimate opposite_flips;  ///< of these files, between manipulated and no_manipulation_found
};

/// How the run was done.
struct RunFacts {
  std::string input;  ///< "media", "crops" or "scores"
  std::vector<std::string> paths;
  std::string split;
  std::string list;
  std::optional<double> crop_margin;
  int limit = 0;
  AnalysisOptions analysis;  ///< of "media"
  std::optional<ModelFacts> model;
  Thresholds thresholds;
  double fpr_at_clear = 0;
  SoftwareFacts software;
  int bootstrap_rounds = 0;
  std::uint64_t bootstrap_seed = 0;
  std::size_t clusters = 0;     ///< that the bootstrap draws from
  double seconds = 0;           ///< wall clock of analysing
  double files_per_second = 0;  ///< 0 when nothing was analysed
  std::size_t passes = 1;       ///< times that each file was measured: clean and degraded
};

struct Evaluation {
  RunFacts run;
  Figures figures;
  Curves curves;
  std::vector<GroupFigures> groups;  ///< worst AUC first; empty when the files have no groups
  std::vector<WorstGroup> worst;
  std::vector<DegradedFigures> degraded;
  Skips skipped;
  Skips left_out;
  std::vector<std::string> notes;
};

}  // namespace unmask
