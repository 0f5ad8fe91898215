// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "compat/contract.hpp"

namespace unmask::compat {

/// What an answer says about its file, in the service's own terms.
struct Judgement {
  std::string label;  ///< "Fake", "Real", "DeepFake", "fake", ...
  double score = 0;   ///< in the service's direction: P(fake) of microservice and predict-api, else P(real)
};

/// Reads it from a body. Of several frames of a microservice the mean, which is labelled by its rule. Nothing
/// when the answer holds none: an error, no face, or no JSON of that service.
std::optional<Judgement> ReadJudgement(Contract contract, std::string_view body);

/// Whether two labels say the same: case does not count, and "DeepFake" is "fake".
bool SameLabel(std::string_view a, std::string_view b);

}  // namespace unmask::compat
