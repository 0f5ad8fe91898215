// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "face/face.hpp"
#include "face/ssd.hpp"

namespace unmask {

/// Every detector draws its box in its own way: BlazeFace from the eyebrows to the chin, YuNet the whole face
/// with the forehead. The training crops were measured by YuNet's box, so the others' are mapped to it. The
/// maps were fitted with src/face/fit_boxes_main.cpp; box_mapping.cpp states on what and how well they fit.

/// Numbers that describe a BlazeFace detection without regard to its size and place, split into those that
/// change sign when the picture is mirrored and those that do not.
struct BoxFeatures {
  static constexpr std::size_t kOdd = 4;
  static constexpr std::size_t kEven = 8;
  std::array<double, kOdd> odd{};    ///< x of eyes' middle, nose, mouth, ears' middle, from the box's centre
  std::array<double, kEven> even{};  ///< 1, the same four's y, eye distance, ear distance, squared turn
};

/// Lengths are in units of `Unit(face)`.
BoxFeatures FeaturesOf(const SsdFace& face);

/// The length that makes features free of size: the geometric mean of the box's sides, pixels.
double Unit(const SsdFace& face);

/// Linear in the features: the centre's offset and the logarithm of the sides, all in units of Unit().
struct BoxMap {
  std::array<double, BoxFeatures::kOdd> x{};
  std::array<double, BoxFeatures::kEven> y{};
  std::array<double, BoxFeatures::kEven> log_width{};
  std::array<double, BoxFeatures::kEven> log_height{};
};

Box Apply(const BoxMap& map, const SsdFace& face);

extern const BoxMap kFullRangeMap;
extern const BoxMap kShortRangeMap;

/// A face with YuNet's box and four landmarks of a BlazeFace detection, in the coordinates of that.
Face ToFace(const SsdFace& face, const BoxMap& map);

/// The YuNet box for a box of Haar's frontal-face cascade, which has no landmarks.
Box FromHaar(const Box& haar);

}  // namespace unmask
