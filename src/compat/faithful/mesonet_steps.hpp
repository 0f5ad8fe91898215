// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/faithful/close_up_finder.hpp"
#include "compat/faithful/crop.hpp"
#include "compat/faithful/frontal_cascade.hpp"
#include "compat/faithful/steps.hpp"

namespace unmask::compat {

/// mesonet-api: the strongest face of MediaPipe's short-range BlazeFace, else the first of Haar's cascade, a
/// tenth more on each side, 256x256 bilinear, 0..1.
std::unique_ptr<Steps> MakeMesonetSteps(std::shared_ptr<CloseUpFinder> blazeface,
                                        std::shared_ptr<FrontalCascade> cascade, Channels channels);

/// A face's box with the service's padding: a tenth of its size, truncated, on each side. x and y are cut off
/// at 0 without making the box smaller; then the size is cut off at the picture's edges. May be empty.
cv::Rect MesonetRegion(cv::Rect box, cv::Size picture);

}  // namespace unmask::compat
