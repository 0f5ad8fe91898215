// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include <opencv2/core/mat.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "face/detectors.hpp"

namespace unmask {

inline const std::filesystem::path kDetectors = UNMASK_SOURCE_DIR "/third_party/detectors";

/// Where the face of the portrait lies, as YuNet draws it (yunet_n_640_640.onnx).
inline const Box kAstronautFace{181, 54, 92.5, 124.5};

/// A NASA portrait in the public domain: 512x512, one face.
inline cv::Mat Astronaut() {
  static const cv::Mat picture = cv::imread(UNMASK_SOURCE_DIR "/third_party/test_media/astronaut.png");
  return picture.clone();
}

/// A grey picture with the astronaut's upper body in it, drawn so that the face is `face_height` pixels high
/// with its upper left corner at `corner`. `box` receives the face's box.
inline cv::Mat FaceInAPicture(cv::Size size, double face_height, cv::Point corner, Box* box) {
  const double scale = face_height / kAstronautFace.height;
  cv::Mat small;
  cv::resize(Astronaut(), small, {}, scale, scale, cv::INTER_AREA);
  const cv::Point at(corner.x - static_cast<int>(kAstronautFace.x * scale),
                     corner.y - static_cast<int>(kAstronautFace.y * scale));
  cv::Mat picture(size, CV_8UC3, cv::Scalar(110, 120, 125));
  const cv::Rect inside = cv::Rect(at, small.size()) & cv::Rect({0, 0}, size);
  small(inside - at).copyTo(picture(inside));
  *box = {static_cast<double>(corner.x), static_cast<double>(corner.y), kAstronautFace.width * scale,
          face_height};
  return picture;
}

}  // namespace unmask
