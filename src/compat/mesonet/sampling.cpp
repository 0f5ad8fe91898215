// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/sampling.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace unmask::compat {

std::vector<std::int64_t> MesonetFrames(std::int64_t total) {
  constexpr std::int64_t kTarget = 40;
  constexpr std::int64_t kPerThird = kTarget / 3;
  if (total <= 0) return {};
  if (total <= kTarget) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(total));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  const std::int64_t third = total / 3;
  const std::array<std::int64_t, 4> bounds = {0, third, 2 * third, total};
  std::vector<std::int64_t> frames;
  for (std::size_t part = 0; part < 3; ++part) {
    const std::int64_t step = std::max<std::int64_t>(1, (bounds[part + 1] - bounds[part]) / kPerThird);
    for (std::int64_t i = 0; i < kPerThird && bounds[part] + i * step < bounds[part + 1]; ++i)
      frames.push_back(bounds[part] + i * step);
  }
  return frames;
}

}  // namespace unmask::compat
