// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace unmask::compat {

/// Python's random.Random(seed) for a whole number 0 <= seed < 2^64: the Mersenne Twister MT19937 seeded by
/// init_by_array (Matsumoto and Nishimura, 2002), so that who seeds the original gets the same frames here.
class PythonRandom {
 public:
  explicit PythonRandom(std::uint64_t seed);

  /// random.sample(range(population), count), in its order. Python 3.12. Needs 0 <= count <= population.
  std::vector<std::int64_t> Sample(std::int64_t population, std::int64_t count);

 private:
  static constexpr std::size_t kWords = 624;

  std::uint32_t Next();
  std::uint64_t Bits(int count);           ///< getrandbits()
  std::int64_t Below(std::int64_t bound);  ///< randrange(bound)

  std::array<std::uint32_t, kWords> state_{};
  std::size_t at_ = kWords;
};

}  // namespace unmask::compat
