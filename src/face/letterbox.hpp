// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>

#include "face/face.hpp"

namespace unmask {

/// Where a region of a picture lies in the input of a network: scaled by `scale`, then moved by (dx, dy).
/// The aspect is kept; what the region does not cover is black.
struct Letterbox {
  cv::Rect region;  ///< in the picture, not empty; what lies beyond the picture's edges is black, too
  cv::Size input;   ///< of the network
  cv::Rect place;   ///< of the region in the input
  double scale_x = 1;
  double scale_y = 1;

  /// From the input's pixels back to the picture's.
  Point ToPicture(Point in_input) const;
  Box ToPicture(const Box& in_input) const;
};

/// The largest placement of `region` in `input`, in its middle. Neither may be empty.
Letterbox FitInto(const cv::Rect& region, cv::Size input);

/// A picture at another size. Reduces without aliasing at a fifth of the cost of area averaging: halves by
/// area while it can, then interpolates. Gives the picture itself, shared, when it has that size already.
cv::Mat Shrink(const cv::Mat& picture, cv::Size size);

/// The pixels of a letterbox: CV_8UC3 of size `input`. Reduces by Shrink(), since small faces are lost in
/// aliasing. Needs memory of a quarter of the region at most.
cv::Mat Render(const cv::Mat& bgr, const Letterbox& letterbox);

/// Any picture as CV_8UC3: grey and transparent ones are converted, 16 bits reduced to 8. Empty when it is
/// empty or of a kind that is no picture. A view when nothing is to be done.
cv::Mat AsBgr(const cv::Mat& picture);

}  // namespace unmask
