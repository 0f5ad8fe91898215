// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <opencv2/core/mat.hpp>

#include "face/face.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// Limits under which a face gets a quality code. Faces with any code but "profile" do not count for a
/// verdict when better ones exist.
struct QualityLimits {
  double min_size = 48;          ///< shorter side of the box, pixels: "small"
  double min_sharpness = 0.08;   ///< "blurred"
  double min_brightness = 0.12;  ///< mean luma: "dark"
  double max_brightness = 0.92;  ///< "bright"
  double max_yaw = 50;           ///< degrees either way: "profile"
};

/// Measures one face in the picture where it was found (CV_8UC3, blue first). Sharpness is the variance of
/// the Laplacian of the face's luma at 96 pixels width, normalised by its contrast and mapped to 0..1, so
/// that it depends on neither size nor light. Yaw and pitch come from the landmarks' positions and are rough
/// (within 15 degrees); 0 without landmarks.
FaceQuality MeasureQuality(const cv::Mat& picture, const Face& face, const QualityLimits& limits = {});

}  // namespace unmask
