// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>

#include "unmask/model.hpp"
#include "unmask/picture.hpp"

namespace unmask {

/// The square that the model's crop rule gives for a face box, in whole pixels; may reach beyond the picture.
cv::Rect CropRect(const Box& face, const CropRule& rule);

/// The pixels of `rect`, with the picture's edge repeated where it reaches beyond. Copies only then;
/// otherwise a view.
cv::Mat CropPixels(const cv::Mat& picture, const cv::Rect& rect);

}  // namespace unmask
