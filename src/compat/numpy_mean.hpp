// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace unmask::compat {

/// numpy.mean() of a contiguous array, to the last bit: NumPy adds pairwise, in blocks of at most 128 numbers
/// by eight accumulators, in the array's own type. 0 for an empty one, which NumPy calls not a number.
float NumpyMean(std::span<const float> values);
double NumpyMean(std::span<const double> values);

}  // namespace unmask::compat
