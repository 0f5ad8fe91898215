// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

/// A number within a range, written as C's strtod reads it, without anything behind it.
Result<double> ParseNumber(std::string_view text, double least, double most);

/// A whole number within a range.
Result<std::int64_t> ParseWhole(std::string_view text, std::int64_t least, std::int64_t most);

/// A number of bytes: "1048576", "512K", "64M", "2G", "1T" (powers of 1024; "2GB" and "2GiB" mean the same).
Result<std::uint64_t> ParseBytes(std::string_view text);

/// The word of `known` that the user may have meant by `word`; empty when none is near.
std::string ClosestWord(std::string_view word, const std::vector<std::string>& known);

}  // namespace unmask
