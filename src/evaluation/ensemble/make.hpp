// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "evaluation/dataset.hpp"
#include "evaluation/ensemble/face_fit.hpp"
#include "evaluation/ensemble/track_fit.hpp"
#include "evaluation/evaluate.hpp"
#include "evaluation/evaluation.hpp"
#include "unmask/analyzer.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// An ensemble to be made.
struct EnsembleRequest {
  std::string name;                  ///< of the new model, or of one that gets a new version
  int version = 0;                   ///< 0: the next one
  std::vector<std::string> members;  ///< NAME, NAME:VERSION or NAME@LABEL
  std::string description;           ///< empty: one that names the members
  /// Labelled faces, already cut out, to fit weights, calibration and thresholds on. Without paths the
  /// combination is the mean of the logits, and nothing is known of what its scores are worth.
  DatasetRequest data;
  std::optional<double> crop_margin;  ///< of these faces, see crops.hpp
  bool mean = false;                  ///< keep the mean of the logits and fit the rest alone
  int bootstrap_rounds = 2000;
  int jobs = 0;  ///< files at once; 0: one for each core
  AnalyzerConfig analyzer;
};

/// One way to judge these faces, by fits that saw neither them nor their cluster: a member alone, the mean of
/// the logits, fitted weights.
struct CandidateFigures {
  std::string name;  ///< "face:1", "mean_logit" or "weighted"
  Figures figures;
  Estimate auc_change;  ///< against the best member, drawn in pairs; none for itself
};

/// What was fitted, and how good it is.
struct EnsembleFigures {
  std::vector<CandidateFigures> candidates;  ///< the members in order, then the combinations
  std::string best_member;                   ///< by AUC: chosen on these faces
  std::string chosen;                        ///< the candidate that the card states
  FaceFit fit;                               ///< on all faces
  std::vector<TrackComparison> tracks;       ///< simulated; see looks.hpp
  std::size_t track_faces = 0;               ///< that were looked at for them
  bool own_track_points = false;             ///< tracks got operating points of their own
  Dataset dataset;                           ///< without its samples
  std::size_t authentic = 0;
  std::size_t manipulated = 0;
  std::size_t clusters = 0;
};

struct EnsembleResult {
  ModelCard card;                          ///< as it lies in the repository now
  std::optional<EnsembleFigures> figures;  ///< of a fit
};

/// Makes `models/NAME/VERSION` of models of the same repository: model.json with each member's version and
/// hash, golden inputs, and CARD.md. The version appears whole or not at all. Fails as
/// ModelRepository::Find(), Scorer::Load(), CheckGolden(), FindSamples(), RunCrops(), FitFaces() and
/// NewVersion do, with kBadRequest for a member that is an ensemble or named twice, and with kCancelled.
Result<EnsembleResult> MakeEnsemble(const EnsembleRequest& request, EvaluationProgress& progress,
                                    std::stop_token stop = {});

}  // namespace unmask
