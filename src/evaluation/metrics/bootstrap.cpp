// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metrics/bootstrap.hpp"

#include <algorithm>
#include <random>
#include <unordered_map>

namespace unmask {
namespace {

/// A number below `limit`, by Lemire's multiplication (2019) without his correction: the bias of 2^-64 *
/// limit is of no matter here, and unlike the standard's distributions it is the same in every library.
std::size_t Below(std::mt19937_64& random, std::size_t limit) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((static_cast<Wide>(random()) * limit) >> 64);
}

}  // namespace

Bootstrap::Bootstrap(std::span<const std::string> clusters, std::size_t files, int rounds, std::uint64_t seed)
    : rounds_(rounds), seed_(seed), files_(files) {
  if (clusters.empty()) {
    members_.resize(files);
    for (std::size_t i = 0; i < files; ++i) members_[i] = {static_cast<std::uint32_t>(i)};
    return;
  }
  std::unordered_map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < files; ++i) {
    const auto [at, added] = place.emplace(clusters[i], members_.size());
    if (added) members_.emplace_back();
    members_[at->second].push_back(static_cast<std::uint32_t>(i));
  }
}

std::optional<Interval> Bootstrap::IntervalOf(
    const std::function<Figure(std::span<const std::uint32_t>)>& figure) const {
  if (rounds_ < 1 || files_ == 0) return std::nullopt;
  std::mt19937_64 random(seed_);
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(rounds_));
  std::vector<std::uint32_t> counts(files_);
  for (int tries = 0; static_cast<int>(values.size()) < rounds_; ++tries) {
    if (tries >= 2 * rounds_) return std::nullopt;
    std::fill(counts.begin(), counts.end(), 0U);
    for (std::size_t i = 0; i < members_.size(); ++i)
      for (const std::uint32_t file : members_[Below(random, members_.size())]) ++counts[file];
    if (const Figure value = figure(counts)) values.push_back(*value);
  }
  std::sort(values.begin(), values.end());
  return Interval{Quantile(values, 0.025), Quantile(values, 0.975)};
}

double Quantile(std::span<const double> sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace unmask
