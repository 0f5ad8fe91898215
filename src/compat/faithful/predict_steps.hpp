// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/faithful/frontal_cascade.hpp"
#include "compat/faithful/steps.hpp"

namespace unmask::compat {

/// predict-api: the largest face of Haar's cascade, a tenth more on each side, red first, 64x64 by area,
/// 0..1. Without a face in any frame the middle squares of 16 to 31 frames.
std::unique_ptr<Steps> MakePredictSteps(std::shared_ptr<FrontalCascade> cascade);

/// The largest box by area, of equal ones the first, grown by a fifth about its centre; truncated, then cut
/// off at the picture's edges. Nothing without boxes.
std::optional<cv::Rect> PredictRegion(std::span<const cv::Rect> boxes, cv::Size picture);

}  // namespace unmask::compat
