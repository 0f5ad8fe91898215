// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include <opencv2/core/types.hpp>

#include "face/face.hpp"
#include "model/network.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// YuNet's outputs for one stride: for each cell, row by row, a class and an object probability (the order of
/// these two does not matter), four numbers of the box and ten of five points.
struct YuNetLevel {
  int stride = 0;
  const Tensor* scores[2] = {};
  const Tensor* boxes = nullptr;
  const Tensor* points = nullptr;
};

/// Finds the twelve outputs for strides 8, 16 and 32 by their shapes (files differ in names and order).
/// kBadRequest when the network is not YuNet. The levels point into `outputs`.
Result<std::vector<YuNetLevel>> SortOutputs(std::span<const Tensor> outputs, cv::Size input);

/// The faces of all levels whose score reaches `min_score`, in input pixels, doubles suppressed, strongest
/// first. The decoding is the one of YuNet's authors: centre = (cell + d) * stride, side = exp(s) * stride,
/// score = sqrt(class * object).
std::vector<Face> DecodeYuNet(std::span<const YuNetLevel> levels, cv::Size input, double min_score);

}  // namespace unmask
