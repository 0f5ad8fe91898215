// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <opencv2/core/types.hpp>

namespace unmask::compat::mtcnn {

/// The arithmetic of the package `mtcnn` 0.1.1 between its networks, in float64 as there. Corners count
/// pixels from 0; a box's width is x2 - x1 + 1 in some steps and x2 - x1 in others, as there.

struct Box {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  double score = 0;
  std::array<float, 4> shift{};  ///< what the network would move the corners by, of the box's size
};

inline constexpr double kFactor = 0.709;  ///< between the sizes of the pyramid
inline constexpr double kMinFace = 20;    ///< pixels: the smallest face that is looked for
inline constexpr int kWindow = 12;        ///< sides of the P-network's window
inline constexpr std::array<float, 3> kThresholds{0.6F, 0.7F, 0.7F};  ///< of the P-, R- and O-network

/// The package numbers boxes by int16 and breaks above that; of more the strongest stay here.
inline constexpr std::size_t kMaxBoxes = 32767;

/// The scales of the pyramid, falling; none for a picture without room for a face.
std::vector<double> PyramidScales(cv::Size picture);

/// The windows of the P-network's output where its face score reaches the threshold. `scores` and `shifts`
/// are [width][height][2] and [width][height][4]: the networks see turned pictures.
std::vector<Box> WindowsOf(cv::Size grid, std::span<const float> shifts, std::span<const float> scores,
                           double scale);

enum class Overlap { kUnion, kSmaller };

/// Non-maximum suppression: the boxes that stay, strongest first. Overlap is in parts of both boxes' union or
/// of the smaller one. Of boxes of one score, whose order the package leaves to chance, the later comes
/// first.
std::vector<Box> Suppress(std::vector<Box> boxes, double threshold, Overlap overlap);

/// Moves the corners by the shift: in parts of x2 - x1 (`inclusive` false) or of one more.
void ApplyShift(Box& box, bool inclusive);

/// A square about the box's centre, as long as its longer side.
void MakeSquare(Box& box);

/// Corners towards zero.
void Truncate(Box& box);

/// A window cut out of a picture: `source` of the picture goes to `target` in a black one of `size`.
struct Cut {
  cv::Size size;
  cv::Rect source;
  cv::Point target;
};

/// Nothing for a box without area, or without any pixel of the picture: the package ends with an error or
/// without faces there.
std::optional<Cut> CutOf(const Box& box, cv::Size picture);

}  // namespace unmask::compat::mtcnn
