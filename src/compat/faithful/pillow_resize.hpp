// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>

namespace unmask::compat {

/// Image.resize() of Pillow with its standard filter, BICUBIC: two passes of an antialiased cubic (a = -0.5)
/// whose weights and sums are fixed-point numbers of 22 fractional bits, with 8-bit pixels in between.
/// `picture` is CV_8UC3 and not empty. The same bytes as Pillow's 10 to 12.0;
/// later ones turn the order of the passes round for some tall pictures, and its SIMD fork rounds
/// differently.
cv::Mat PillowBicubic(const cv::Mat& picture, cv::Size size);

/// The same with NEAREST, which Pillow takes for palette and 1-bit pictures whatever is asked for.
cv::Mat PillowNearest(const cv::Mat& picture, cv::Size size);

}  // namespace unmask::compat
