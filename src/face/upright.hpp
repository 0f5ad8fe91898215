// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <opencv2/core/mat.hpp>

#include "face/face.hpp"

namespace unmask {

/// How far a face leans in the picture's plane: degrees in -180..180, positive clockwise, 90 for one whose
/// chin points to the picture's left. From the axes through the eyes and from them to the mouth; 0 without
/// landmarks.
double RollOf(const Face& face);

/// A face whose surroundings were turned so that it stands upright, for models that have learnt upright
/// faces.
struct UprightFace {
  cv::Mat
      picture;  ///< the square around the face, CV_8UC3, of its own pixels; edges repeated as in CropPixels
  Face face;    ///< in it
  double roll = 0;   ///< by which the picture was turned back, degrees as RollOf()
  Point centre;      ///< of the square, in the picture where the face was found
  double scale = 1;  ///< of `picture` over that picture

  /// A square of `picture`, as the one around the same centre in the picture where the face was found. It is
  /// turned by `roll` there, so its corners lie elsewhere unless that is a quarter turn.
  Box InPicture(const cv::Rect& square) const;
};

/// None when the face leans by no more than 20 degrees: up to there models were taught, and pixels stay as
/// they are. Near a quarter turn (a picture without its orientation) pixels are moved, not mixed. The face is
/// looked for again by `detector`, whose boxes are made for upright ones; that costs a look for each turn, at
/// most three, and a thorough effort one for each face that is not sure to be upright, because landmarks do
/// not tell upright from upside down. A face without landmarks stays as it is.
std::optional<UprightFace> TurnUpright(const cv::Mat& bgr, const Face& face, FaceDetector& detector,
                                       Effort effort);

}  // namespace unmask
