// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "evaluation/dataset.hpp"
#include "evaluation/evaluation.hpp"
#include "evaluation/outcome.hpp"
#include "evaluation/variants.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

/// What the files are.
enum class EvaluationInput {
  kMedia,  ///< pictures and videos: faces are found in them
  kCrops,  ///< pictures that are a face, already cut out
  kScores  ///< CSV files with scores that any detector gave
};

/// "media", "crops" or "scores".
std::string_view InputName(EvaluationInput input);

struct EvaluationRequest {
  DatasetRequest data;
  EvaluationInput input = EvaluationInput::kMedia;
  std::optional<double> crop_margin;     ///< of kCrops, above -0.5; see crops.hpp
  bool degrade = false;                  ///< measure again under each standard degradation; not for kScores
  std::optional<Thresholds> thresholds;  ///< instead of the model's
  int bootstrap_rounds = 2000;
  std::uint64_t seed = 1;
  int jobs = 0;  ///< files at once; 0: one for each core
  AnalysisOptions analysis;
  AnalyzerConfig analyzer;
};

/// Told from several threads at once.
class EvaluationProgress {
 public:
  virtual ~EvaluationProgress() = default;
  virtual void OnStart(std::size_t files) = 0;
  virtual void OnFile(const std::string& name) = 0;
};

struct EvaluationResult {
  Evaluation evaluation;
  std::vector<Sample> samples;          ///< in the order of the outcomes
  std::vector<SampleOutcome> outcomes;  ///< of the clean pass
};

/// What a model said of every sample: the clean pass, then one for each variant.
struct Measured {
  Dataset dataset;
  std::vector<Pass> passes;
  ModelCard card;
};

/// Runs the files of a request through the product, under these variants instead of request.degrade's;
/// computes no figures. For media and crops. Fails as Evaluate() does.
Result<Measured> Measure(const EvaluationRequest& request, std::span<const Variant> variants,
                         EvaluationProgress& progress, std::stop_token stop = {});

/// Measures a detector on labelled files: unmask's own, or for kScores any. Fails as FindSamples() and
/// Analyzer::Create() do, or with kCancelled; a file that cannot be analysed is counted, not a failure.
Result<EvaluationResult> Evaluate(const EvaluationRequest& request, EvaluationProgress& progress,
                                  std::stop_token stop = {});

}  // namespace unmask
