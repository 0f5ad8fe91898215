// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "evaluation/evaluate.hpp"
#include "evaluation/metrics/bootstrap.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// Whether a new version of a model may be tried on users' files: it must not be worse than the one that
/// answers, in any figure of the model card, by more than chance explains.

struct GateOptions {
  int bootstrap_rounds = 2000;  ///< 100 or more
  std::uint64_t seed = 1;
  std::size_t least_files = 100;  ///< scored files of each class; with fewer nothing is decided
  double tolerance = 0;           ///< of a figure: a loss up to this much refuses nothing, however sure it is
  std::size_t min_group = 20;     ///< files of each class that a group needs to count for the worst group
};

/// One figure of both versions on the same files.
struct GateFigure {
  std::string name;  ///< "auc", "tpr_at_fpr_1", "ece", "worst_group_auc", "auc_jpeg_40", ...
  std::optional<double> candidate;
  std::optional<double> stable;
  /// Candidate minus stable, and its 95 % interval.
  std::optional<double> change;
  std::optional<Interval> interval;
  bool higher_is_better = true;
  bool lost = false;   ///< the interval lies wholly on the bad side of 0
  bool worse = false;  ///< lost, and by more than is tolerated
  std::string reason;  ///< why it could not be measured, or for the worst group which ones they are
};

struct GateReport {
  ModelCard candidate;
  ModelCard stable;
  std::size_t real = 0;  ///< files that both scored
  std::size_t fake = 0;
  std::size_t clusters = 0;  ///< that the bootstrap drew
  GateOptions options;
  std::vector<GateFigure> figures;
  std::vector<std::string> refusals;  ///< sentences; empty: passed
  Skips skipped;                      ///< files that could not be taken

  bool passed() const { return refusals.empty(); }
};

/// The degradations of a card that a gate measures again: JPEG 40, half the size, H.264 at crf 32.
std::vector<Variant> GateVariants();

/// Compares what two models said of the same samples. The paired bootstrap (Efron and Tibshirani 1993,
/// chapter 16): each round draws clusters of files with replacement, the same for both versions and all
/// figures, and takes the difference of each figure; a version is worse in a figure when 95 % of the
/// differences, between the percentiles 2.5 and 97.5, lie on its bad side and the difference is larger than
/// `tolerance`. Equal versions differ by exactly 0 and pass. Refuses, too, when there are fewer than
/// `least_files` of a class, when a figure but the worst group cannot be measured, and when the candidate
/// fails on more files than stable. Pure.
GateReport CompareVersions(const Measured& candidate, const Measured& stable, const GateOptions& options);

/// Measures both on the files of the request (its analyzer names neither) and compares them. `candidate` and
/// `stable` say where each version is, as AnalyzerConfig does.
Result<GateReport> RunGate(EvaluationRequest request, const AnalyzerConfig& candidate,
                           const AnalyzerConfig& stable, const GateOptions& options,
                           EvaluationProgress& progress, std::stop_token stop = {});

/// {"schema": "unmask.gate/1", "passed", "candidate", "stable", "files", "bootstrap", "figures", "refusals",
/// "skipped"}
std::string GateToJson(const GateReport& report, int indent = 2);

/// A table for people, with the decision in the end.
std::string GateToText(const GateReport& report);

}  // namespace unmask
