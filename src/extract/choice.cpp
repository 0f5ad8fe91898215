// SPDX-License-Identifier: Apache-2.0
#include "extract/choice.hpp"

#include <algorithm>

#include "analysis/better_face.hpp"

namespace unmask {

std::vector<std::size_t> ChooseSpread(std::span<const FaceQuality* const> track, std::size_t count) {
  std::vector<std::size_t> chosen;
  const std::size_t stretches = std::min(count, track.size());
  for (std::size_t i = 0; i < stretches; ++i) {
    std::size_t best = i * track.size() / stretches;
    for (std::size_t at = best; at < (i + 1) * track.size() / stretches; ++at)
      if (IsBetter(*track[at], *track[best])) best = at;
    chosen.push_back(best);
  }
  return chosen;
}

}  // namespace unmask
