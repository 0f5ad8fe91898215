// SPDX-License-Identifier: Apache-2.0
#include "compat/numpy_mean.hpp"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

struct Case {
  int count;
  double of_floats;
  double of_doubles;
};

// Recorded from NumPy 2.2.2.
constexpr Case kRecorded[] = {
    {1, 0.6551540493965149, 0.6551540493965149},     {2, 0.4799841642379761, 0.47998417913913727},
    {7, 0.47863006591796875, 0.47863006059612545},   {8, 0.46504563093185425, 0.46504564862698317},
    {9, 0.44189247488975525, 0.44189247075054383},   {39, 0.5005950927734375, 0.5005950264346141},
    {40, 0.5059937238693237, 0.5059937560465186},    {127, 0.4775266945362091, 0.47752668193402137},
    {128, 0.47676336765289307, 0.4767633733099501},  {129, 0.47918131947517395, 0.47918135073223667},
    {200, 0.5021469593048096, 0.5021469906927086},   {256, 0.5116857886314392, 0.5116857640696253},
    {300, 0.49889180064201355, 0.49889181532897053}, {1000, 0.4969106912612915, 0.4969107493641786},
};

TEST(NumpyMean, EqualsNumpysToTheLastBit) {
  for (const auto& [count, of_floats, of_doubles] : kRecorded) {
    std::vector<float> floats;
    std::int64_t state = 12345;
    for (int i = 0; i < count; ++i) {
      state = (state * 1103515245 + 12345) % 2147483648;
      floats.push_back(static_cast<float>(static_cast<double>(state) / 2147483648));
    }
    EXPECT_EQ(static_cast<double>(NumpyMean(std::span<const float>(floats))), of_floats) << count;
    const std::vector<double> doubles(floats.begin(), floats.end());
    EXPECT_EQ(NumpyMean(std::span<const double>(doubles)), of_doubles) << count;
  }
}

TEST(NumpyMean, OfNothingIsZero) { EXPECT_EQ(NumpyMean(std::span<const float>()), 0); }

}  // namespace
}  // namespace unmask::compat
