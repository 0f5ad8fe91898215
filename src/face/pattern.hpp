// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>

namespace unmask {

/// How strong the strongest fine, regular pattern over a face is: the amplitude, in levels of 255, of the
/// sinusoid that stands out of the spectrum of its luma, between 3 and 14 pixels long; 0 when none stands
/// out. Of a face as CV_8UC3, blue first, at its own size; looks at 256 pixels around the middle at most. The
/// dots of a printed picture have 5 to 30, what generators leave behind less than 2.
double PatternStrength(const cv::Mat& face);

}  // namespace unmask
