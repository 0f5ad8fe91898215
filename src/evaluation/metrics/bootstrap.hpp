// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/metrics/sample.hpp"

namespace unmask {

/// 95 % of the bootstrap's values lie within it.
struct Interval {
  double low = 0;
  double high = 0;

  friend bool operator==(const Interval&, const Interval&) = default;
};

/// The percentile bootstrap (Efron 1979): the figure is computed anew on sets drawn with replacement. Whole
/// clusters are drawn (Field and Welsh 2007), because files that share an origin, such as a real video and
/// the fakes made from it, are not independent: drawn one by one they would give too narrow an interval.
///
/// The draws depend on the seed, the number of clusters and nothing else: the same on every machine, and the
/// same for all figures of one set, so that differences between figures can be drawn in pairs.
class Bootstrap {
 public:
  /// `clusters` names the cluster of each file; empty: each file is its own. 0 rounds: no intervals.
  Bootstrap(std::span<const std::string> clusters, std::size_t files, int rounds, std::uint64_t seed);

  /// The figure on the drawn sets; `figure` gets the number of times that each file was drawn. A set on which
  /// the figure cannot be computed (a class is missing) is drawn again; nothing when that happens too often
  /// or there are no rounds. `figure` must not throw.
  std::optional<Interval> IntervalOf(
      const std::function<Figure(std::span<const std::uint32_t> counts)>& figure) const;

  int rounds() const { return rounds_; }
  std::size_t clusters() const { return members_.size(); }

 private:
  int rounds_;
  std::uint64_t seed_;
  std::size_t files_;
  std::vector<std::vector<std::uint32_t>> members_;  // the files of each cluster
};

/// The q-quantile (0..1) of sorted values with linear interpolation between neighbours (Hyndman and Fan 1996,
/// type 7; NumPy's default). Expects at least one value.
double Quantile(std::span<const double> sorted, double q);

}  // namespace unmask
