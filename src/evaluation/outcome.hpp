// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unmask/error.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// What the detector said of one sample.
struct SampleOutcome {
  std::optional<Error> error;   ///< it could not be analysed; the rest is then empty
  std::optional<double> score;  ///< absent without a face
  std::optional<double> logit;  ///< may be absent in a file of scores
  std::vector<double> members;  ///< logits of an ensemble's members; else empty
  Verdict verdict = Verdict::kInconclusive;
  std::optional<Thresholds> thresholds;  ///< that decided; absent without a score, and in a file of scores
  std::vector<std::string> reasons;      ///< stable names
};

/// The part of a report that an evaluation needs.
SampleOutcome ToOutcome(const Report& report);

/// One pass over all samples, in their order.
struct Pass {
  std::string name;         ///< "clean", or the degradation, e.g. "jpeg_40"
  std::string description;  ///< of the degradation, in words
  std::vector<SampleOutcome> outcomes;
};

}  // namespace unmask
