// SPDX-License-Identifier: Apache-2.0
#include "extract/splits.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/hash.hpp"
#include "extract/names.hpp"

namespace unmask {
namespace {

constexpr std::size_t kLongestName = 32;
constexpr double kSumTolerance = 1e-6;  // three times 0.333333 is accepted

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_';
         });
}

Result<SplitShare> ParseShare(std::string_view part) {
  const std::size_t sign = part.find('=');
  const std::string_view name = part.substr(0, sign);
  double share = 0;
  bool number = false;
  if (sign != std::string_view::npos) {
    const std::string_view text = part.substr(sign + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
    number = error == std::errc{} && end == text.data() + text.size() && std::isfinite(share);
  }
  if (!IsName(name) || !number || share <= 0 || share > 1)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected NAME=SHARE such as train=0.9, found '{}'", part),
                "names have letters, digits, - and _; shares lie between 0 and 1");
  if (name == kReal || name == kFake || name == kUnlabelled)
    return Fail(ErrorCode::kBadRequest, fmt::format("a split cannot have a label's name, found '{}'", name));
  return SplitShare{std::string(name), share};
}

}  // namespace

Result<std::vector<SplitShare>> ParseSplits(std::string_view text) {
  std::vector<SplitShare> splits;
  double sum = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    auto split = ParseShare(text.substr(at, end - at));
    if (!split) return tl::unexpected(split.error());
    if (std::any_of(splits.begin(), splits.end(),
                    [&](const SplitShare& other) { return other.name == split->name; }))
      return Fail(ErrorCode::kBadRequest, fmt::format("the split '{}' is named twice", split->name));
    sum += split->share;
    splits.push_back(std::move(*split));
    at = end + 1;
  }
  if (std::abs(sum - 1) > kSumTolerance * static_cast<double>(splits.size()))
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected shares that add up to 1, found {} in '{}'", sum, text));
  return splits;
}

const std::string& AssignSplit(std::span<const SplitShare> splits, std::uint64_t seed,
                               std::string_view group) {
  Sha256 hash;
  hash.Update(fmt::format("{}\n{}", seed, group));
  const std::string hex = hash.Finish();
  std::uint64_t bits = 0;  // 52 of them: exact as a double
  std::from_chars(hex.data(), hex.data() + 13, bits, 16);
  const double place = std::ldexp(static_cast<double>(bits), -52);
  double end = 0;
  for (const SplitShare& split : splits) {
    end += split.share;
    if (place < end) return split.name;
  }
  return splits.back().name;
}

}  // namespace unmask
