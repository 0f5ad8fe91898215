// SPDX-License-Identifier: Apache-2.0
#include "compat/python_random.hpp"

#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_set>

namespace unmask::compat {

PythonRandom::PythonRandom(std::uint64_t seed) {
  auto& mt = state_;
  mt[0] = 19650218u;
  for (std::size_t i = 1; i < kWords; ++i)
    mt[i] = 1812433253u * (mt[i - 1] ^ (mt[i - 1] >> 30)) + static_cast<std::uint32_t>(i);

  std::vector<std::uint32_t> key{static_cast<std::uint32_t>(seed)};
  if (seed >> 32) key.push_back(static_cast<std::uint32_t>(seed >> 32));
  std::size_t i = 1, j = 0;
  const auto next = [&](std::uint32_t factor) { return mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * factor); };
  const auto step = [&] {
    if (++i < kWords) return;
    mt[0] = mt[kWords - 1];
    i = 1;
  };
  for (std::size_t k = kWords; k > 0; --k) {
    mt[i] = next(1664525u) + key[j] + static_cast<std::uint32_t>(j);
    step();
    j = (j + 1) % key.size();
  }
  for (std::size_t k = kWords - 1; k > 0; --k) {
    mt[i] = next(1566083941u) - static_cast<std::uint32_t>(i);
    step();
  }
  mt[0] = 0x80000000u;
}

std::uint32_t PythonRandom::Next() {
  constexpr std::size_t kShift = 397;
  if (at_ == kWords) {
    for (std::size_t k = 0; k < kWords; ++k) {
      const auto y = (state_[k] & 0x80000000u) | (state_[(k + 1) % kWords] & 0x7fffffffu);
      state_[k] = state_[(k + kShift) % kWords] ^ (y >> 1) ^ (y & 1u ? 0x9908b0dfu : 0u);
    }
    at_ = 0;
  }
  std::uint32_t y = state_[at_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

std::uint64_t PythonRandom::Bits(int count) {
  if (count <= 32) return Next() >> (32 - count);
  const std::uint64_t low = Next();
  return low | static_cast<std::uint64_t>(Next() >> (64 - count)) << 32;
}

std::int64_t PythonRandom::Below(std::int64_t bound) {
  const auto limit = static_cast<std::uint64_t>(bound);
  const int bits = std::bit_width(limit);
  for (;;)
    if (const auto drawn = Bits(bits); drawn < limit) return static_cast<std::int64_t>(drawn);
}

std::vector<std::int64_t> PythonRandom::Sample(std::int64_t population, std::int64_t count) {
  std::vector<std::int64_t> result;
  // The size of a small set minus the size of an empty list, as random.py reckons.
  double set_size = 21;
  if (count > 5) set_size += std::pow(4, std::ceil(std::log(static_cast<double>(count * 3)) / std::log(4.0)));
  if (static_cast<double>(population) <= set_size) {
    std::vector<std::int64_t> pool(static_cast<std::size_t>(population));
    std::iota(pool.begin(), pool.end(), std::int64_t{0});
    for (std::int64_t i = 0; i < count; ++i) {
      const auto j = static_cast<std::size_t>(Below(population - i));
      result.push_back(pool[j]);
      pool[j] = pool[static_cast<std::size_t>(population - i - 1)];
    }
    return result;
  }
  std::unordered_set<std::int64_t> selected;
  while (static_cast<std::int64_t>(result.size()) < count)
    if (const auto drawn = Below(population); selected.insert(drawn).second) result.push_back(drawn);
  return result;
}

}  // namespace unmask::compat
