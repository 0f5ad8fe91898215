// SPDX-License-Identifier: Apache-2.0
#include "compat/numpy_mean.hpp"

#include <array>

namespace unmask::compat {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlock = 128;

template <typename T>
T PairwiseSum(std::span<const T> values) {
  const std::size_t size = values.size();
  T sum = 0;
  if (size < kLanes) {
    for (const T value : values) sum += value;
    return sum;
  }
  if (size > kBlock) {
    const std::size_t half = size / 2 - size / 2 % kLanes;
    return PairwiseSum(values.first(half)) + PairwiseSum(values.subspan(half));
  }
  std::array<T, kLanes> lane;
  for (std::size_t i = 0; i < kLanes; ++i) lane[i] = values[i];
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = kLanes; i < whole; ++i) lane[i % kLanes] += values[i];
  sum = ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
  for (std::size_t i = whole; i < size; ++i) sum += values[i];
  return sum;
}

}  // namespace

float NumpyMean(std::span<const float> values) {
  if (values.empty()) return 0;
  // The division is by an integer scalar, which makes it one of doubles.
  return static_cast<float>(static_cast<double>(PairwiseSum(values)) / static_cast<double>(values.size()));
}

double NumpyMean(std::span<const double> values) {
  return values.empty() ? 0 : PairwiseSum(values) / static_cast<double>(values.size());
}

}  // namespace unmask::compat
