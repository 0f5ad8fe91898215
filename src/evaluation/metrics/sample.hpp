// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>
#include <string>

#include <tl/expected.hpp>

namespace unmask {

/// One file as the metrics see it: what it is, and what the detector said.
struct LabelledScore {
  bool manipulated = false;  ///< the truth: the positive class
  double score = 0;          ///< higher: more likely manipulated
};

using LabelledScores = std::span<const LabelledScore>;

/// A figure, or the reason why there is none, as a sentence without a period.
using Figure = tl::expected<double, std::string>;

/// The failing side of a Figure.
inline tl::unexpected<std::string> NoFigure(std::string reason) {
  return tl::unexpected<std::string>(std::move(reason));
}

}  // namespace unmask
