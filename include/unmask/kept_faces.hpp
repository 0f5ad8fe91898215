// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unmask/model.hpp"
#include "unmask/picture.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// A face cut out as the model saw it, with all that a data set says of it.
struct KeptFace {
  int track = 0;
  std::int64_t frame = 0;  ///< index of the frame in the media, from 0
  double time = 0;
  Box box;                    ///< pixels of the upright picture
  double detector_score = 0;  ///< 0..1
  /// x and y of the right eye (the person's right), left eye, nose and mouth, in pixels of the picture;
  /// absent when the detector gives none.
  std::optional<std::array<double, 8>> landmarks;
  FaceQuality quality;
  int crop_x = 0;  ///< the square that was cut, pixels of the picture; may reach beyond it
  int crop_y = 0;
  int crop_side = 0;
  Picture picture;  ///< its pixels, reduced to at most kKeptSide
};

/// Side of a kept face, pixels: as `unmask faces extract` saves them when it is told nothing else.
inline constexpr int kKeptSide = 224;

/// What an analysis keeps of its faces when it is asked to (AnalysisOptions::keep_faces).
struct KeptFaces {
  CropRule crop;                ///< the model's
  std::string detector;         ///< FaceDetector::name()
  std::vector<KeptFace> faces;  ///< the most suspicious track first; of each track in order of time
};

}  // namespace unmask
