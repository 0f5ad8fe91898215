// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>

#include "face/face.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// Limits under which a face gets a quality code. Faces with any code but "profile" do not count for a
/// verdict when better ones exist. The limits stand where a model's errors depart (docs/evaluation.md, "Scope
/// guards"); each code but "small" is given to less than 1 % of ordinary faces (docs/faces.md).
struct QualityLimits {
  double min_size = 48;         ///< shorter side of the box, pixels: "small"
  double min_sharpness = 0.16;  ///< "blurred": about a Gaussian blur of 2 % of the face's width
  double min_brightness =
      0.05;  ///< mean luma: "dark"; low, because a dark face in dim light still shows detail
  double max_brightness = 0.8;  ///< "bright": what is burnt out shows no traces
  double max_pattern = 6;       ///< see face/pattern.hpp: "patterned", a printed picture or a filmed screen
  double max_yaw = 50;          ///< degrees either way: "profile"
};

/// Measures one face in the picture where it was found (as FaceDetector takes it). Sharpness is the variance
/// of the Laplacian of the face's slightly smoothed luma at 96 pixels width (or its own if that is less),
/// divided by the variance of the luma and mapped to 0..1, so that it depends on neither size nor light; an
/// ordinary face has 0.5. Yaw and pitch come from the landmarks' positions and are rough (within 15 degrees);
/// 0 without landmarks.
FaceQuality MeasureQuality(const cv::Mat& picture, const Face& face, const QualityLimits& limits = {});

}  // namespace unmask
