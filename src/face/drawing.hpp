// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include <opencv2/core/mat.hpp>

namespace unmask {

/// What tells drawings, cartoons and flat renders from photographs, measured on a face's pixels at a width of
/// 96 (or their own if that is less). A photograph has grain or texture everywhere and soft edges; a drawing
/// has even areas, few colours and lines.
struct DrawingSigns {
  double edge = 0;         ///< log of the gradient's 95th percentile over the spread of the luma
  double edge_mean = 0;    ///< log of the gradient's mean over its root mean square: low when few edges
  double line_mean = 0;    ///< the same of the Laplacian
  double colours = 0;      ///< share of the 16 commonest colours of 15 bits, or of the 24 commonest levels of
                           ///< grey if that is less
  double floor = 0;        ///< log of the 10th percentile of the spread of luma in blocks of 4x4: the grain
  double floor_ratio = 0;  ///< log of that over the 90th percentile

  std::array<double, 6> values() const { return {edge, edge_mean, line_mean, colours, floor, floor_ratio}; }
};

/// Of a face as CV_8UC3, blue first, at least 4x4 pixels.
DrawingSigns MeasureDrawingSigns(const cv::Mat& face);

/// How much a face looks like a drawing or a flat render, 0..1: a logistic model of its signs. About one in a
/// thousand photographs reaches 0.5, clean or degraded (docs/evaluation.md, "Scope guards"). 0 for pictures
/// without enough pixels. Paintings and renders with much texture look like photographs to it.
double DrawingLikeness(const cv::Mat& face);

}  // namespace unmask
