// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <opencv2/core/mat.hpp>

namespace unmask::compat {

/// In which order a network takes the colours.
enum class Channels { kRgb, kBgr };

/// Writes a picture (CV_8UC3, blue first) as floats, row by row: each value divided by `range`, rounded as
/// NumPy rounds a float64 quotient to float32. `crop` has picture.total() * 3 numbers.
void WriteCrop(const cv::Mat& picture, Channels channels, double range, std::span<float> crop);

}  // namespace unmask::compat
