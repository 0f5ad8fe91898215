// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <random>

#include "evaluation/summary.hpp"

namespace unmask {

/// For tests: a dataset of `count` files in two groups and clusters of two, and passes over it. Fakes have
/// higher logits; one file failed, one has no face.
struct Example {
  Dataset dataset;
  std::vector<Pass> passes;
};

inline SampleOutcome OutcomeWith(double logit,
                                 const Thresholds& thresholds = {.manipulated = 0.9, .clear = 0.6}) {
  SampleOutcome outcome{.score = 1 / (1 + std::exp(-logit)), .logit = logit};
  if (*outcome.score >= thresholds.manipulated)
    outcome.verdict = Verdict::kManipulated;
  else if (*outcome.score < thresholds.clear)
    outcome.verdict = Verdict::kNoManipulationFound;
  else
    outcome.reasons = {"between_thresholds"};
  return outcome;
}

inline Example ExampleOf(std::size_t count, bool degraded) {
  Example example;
  std::mt19937 random(1);
  const auto noise = [&] { return static_cast<double>(random() % 1000) / 250 - 2; };
  example.passes.push_back({"clean", "", {}});
  if (degraded) example.passes.push_back({"jpeg_40", "JPEG, quality 40", {}});
  for (std::size_t i = 0; i < count; ++i) {
    const bool fake = i % 2 == 1;
    example.dataset.samples.push_back({.name = "file" + std::to_string(i),
                                       .manipulated = fake,
                                       .group = i % 4 < 2 ? "a" : "b",
                                       .cluster = "c" + std::to_string(i / 2)});
    const double logit = (fake ? 2 : -2) + noise();
    for (Pass& pass : example.passes) pass.outcomes.push_back(OutcomeWith(logit));
    if (degraded) example.passes[1].outcomes.back() = OutcomeWith(logit * 0.5);
  }
  for (Pass& pass : example.passes) {
    pass.outcomes[0] = {.error = Error{ErrorCode::kUndecodable, "is broken", "", ""}};
    pass.outcomes[1] = {.reasons = {"no_face"}};
  }
  return example;
}

inline SummaryOptions ExampleOptions() {
  return {.thresholds = {.manipulated = 0.9, .clear = 0.6}, .bootstrap_rounds = 50, .min_group = 5};
}

}  // namespace unmask
