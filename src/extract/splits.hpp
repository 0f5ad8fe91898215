// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

/// One part of a data set, e.g. "val", and the share of the groups that it gets.
struct SplitShare {
  std::string name;
  double share = 1;
};

/// Reads "train=0.9,val=0.1": different names of up to 32 letters, digits, - and _, with shares above 0 that
/// add up to 1. The labels' names are refused, because a folder of that name would be taken for a label.
Result<std::vector<SplitShare>> ParseSplits(std::string_view text);

/// The split of a group: by a hash of its name and the seed alone, so that the same group comes into the same
/// split on every machine, in every order and also when the set grows. Shares are met on average over many
/// groups, not exactly. `splits` is not empty.
const std::string& AssignSplit(std::span<const SplitShare> splits, std::uint64_t seed,
                               std::string_view group);

}  // namespace unmask
