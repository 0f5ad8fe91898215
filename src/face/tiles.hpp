// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <opencv2/core/types.hpp>

namespace unmask {

/// Squares of `side` pixels (shorter where the picture is) that cover a picture and share at least
/// `overlap` (0..1) of their side with their neighbours: whatever is smaller than that lies whole in one of
/// them. Row by row; one tile when the picture is no larger than one.
std::vector<cv::Rect> MakeTiles(cv::Size picture, int side, double overlap);

/// The tiles that a thorough look at a picture of this size takes, after one look at the whole: none for
/// small pictures, one layer of tiles for large ones, two for very large ones, and squares along strips.
std::vector<cv::Rect> PlanTiles(cv::Size picture);

}  // namespace unmask
