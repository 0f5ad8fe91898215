// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <vector>

#include "face/face.hpp"

namespace unmask {

/// The pure parts of the single-shot detectors (SSD, Liu et al. 2016) that BlazeFace belongs to: anchors,
/// decoding of boxes, suppression of double ones.

/// A layer of anchors: one grid of cells of `stride` input pixels with some anchors at each cell's centre.
struct AnchorLayer {
  int stride = 0;
  int per_cell = 0;
};

/// A box with BlazeFace's six points.
struct SsdFace {
  enum Keypoint { kRightEye, kLeftEye, kNose, kMouth, kRightEar, kLeftEar, kKeypoints };

  Box box;
  std::array<Point, kKeypoints> keypoints{};
  double score = 0;
  double detail = 0;  ///< how large the box was in the network's input, pixels
  bool cut = false;   ///< touches an edge behind which the picture goes on: may be part of a face
};

/// The anchors' centres in input pixels, layer by layer, row by row; anchors of one cell follow each other.
std::vector<Point> MakeAnchors(int input_size, std::span<const AnchorLayer> layers);

/// Decodes the anchors whose score reaches `min_score`. `boxes` has 16 numbers an anchor (centre x and y as
/// offset from the anchor, width, height, then six points as offsets from the anchor, all in input pixels),
/// `logits` one. Logits are clipped to +-100 before the sigmoid. Boxes that are empty or not finite are left
/// out. Spans that do not fit the anchors give nothing.
std::vector<SsdFace> DecodeFaces(std::span<const Point> anchors, std::span<const float> boxes,
                                 std::span<const float> logits, double min_score);

/// Weighted non-maximum suppression: from the strongest down, each face takes in those that overlap it by
/// more than `iou` and becomes the score-weighted mean of them all, with its own score. Strongest first.
std::vector<SsdFace> SuppressWeighted(std::vector<SsdFace> faces, double iou);

/// Joins what several passes over overlapping parts of a picture have found. Of faces that overlap by more
/// than `iou`, or that lie within each other, one that is not cut stays, then the strongest. Strongest first.
std::vector<SsdFace> MergePasses(std::vector<SsdFace> faces, double iou);

}  // namespace unmask
