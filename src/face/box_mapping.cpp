// SPDX-License-Identifier: Apache-2.0
#include "face/box_mapping.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace unmask {
namespace {

// No map may make a box this much larger or smaller than the detector's: keypoints of a false box are wild.
constexpr double kMaxLogRatio = 0.7;
constexpr double kMaxOffset = 0.5;

template <std::size_t N>
double Dot(const std::array<double, N>& a, const std::array<double, N>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

Point Middle(Point a, Point b) { return {(a.x + b.x) / 2, (a.y + b.y) / 2}; }

}  // namespace

// Fitted on 2026-11-21 by `fit_boxes PICTURES CSV DETECTORS YUNET.onnx` on 3,761 portraits whose YuNet box is
// known, each seen with the face at about 50, 20 and 10 % of the network's input; least squares with Huber's
// loss. On 224 portraits that were left out, overlap (IoU) with YuNet's box, median and 10th percentile:
//
//   detector      face        as it is        mapped
//   full range    50 %        0.724  0.675    0.909  0.833
//   full range    20 %        0.726  0.682    0.916  0.853
//   full range    10 %        0.718  0.654    0.876  0.781
//   short range   50 %        0.721  0.685    0.919  0.849
//   short range   20 %        0.710  0.664    0.885  0.812
//   Haar          50 %        0.726  0.683    0.853  0.747
//   YuNet at another size     0.926  0.850    which is as good as it can get
const BoxMap kFullRangeMap{
    .x = {0.2964, -0.1904, 0.1552, 0.4530},
    .y = {-0.0667, 0.2004, 0.1149, 0.1808, 0.0911, 0.0487, -0.0245, 0.0515},
    .log_width = {-0.7833, 0.2144, -0.2541, 0.1158, 0.0949, 0.4231, 0.5983, 0.6313},
    .log_height = {-0.1121, -0.1212, -0.1581, -0.0949, 0.0124, -0.0419, 0.3707, 0.2680},
};
const BoxMap kShortRangeMap{
    .x = {0.2720, -0.0876, 0.1089, 0.0419},
    .y = {0.0872, 0.2951, 0.1687, 0.0340, 0.2445, -0.1519, -0.0455, -0.0544},
    .log_width = {-0.9464, -0.1648, -0.1468, 0.1601, -0.1097, 0.7495, 0.4840, 0.6202},
    .log_height = {-0.4072, -0.7203, 0.0278, 0.1806, -0.2874, 0.4164, 0.2224, 0.2811},
};

double Unit(const SsdFace& face) { return std::sqrt(face.box.width * face.box.height); }

BoxFeatures FeaturesOf(const SsdFace& face) {
  const double unit = Unit(face);
  const Point centre{face.box.x + face.box.width / 2, face.box.y + face.box.height / 2};
  const auto relative = [&](Point point) {
    return Point{(point.x - centre.x) / unit, (point.y - centre.y) / unit};
  };
  const Point right_eye = relative(face.keypoints[SsdFace::kRightEye]);
  const Point left_eye = relative(face.keypoints[SsdFace::kLeftEye]);
  const Point right_ear = relative(face.keypoints[SsdFace::kRightEar]);
  const Point left_ear = relative(face.keypoints[SsdFace::kLeftEar]);
  const Point nose = relative(face.keypoints[SsdFace::kNose]);
  const Point mouth = relative(face.keypoints[SsdFace::kMouth]);
  const Point eyes = Middle(right_eye, left_eye);
  const Point ears = Middle(right_ear, left_ear);
  const double turn = nose.x - ears.x;
  return {.odd = {eyes.x, nose.x, mouth.x, ears.x},
          .even = {1, eyes.y, nose.y, mouth.y, ears.y,
                   std::hypot(left_eye.x - right_eye.x, left_eye.y - right_eye.y),
                   std::hypot(left_ear.x - right_ear.x, left_ear.y - right_ear.y), turn * turn}};
}

Box Apply(const BoxMap& map, const SsdFace& face) {
  const BoxFeatures features = FeaturesOf(face);
  const double unit = Unit(face);
  const double x = std::clamp(Dot(map.x, features.odd), -kMaxOffset, kMaxOffset);
  const double y = std::clamp(Dot(map.y, features.even), -kMaxOffset, kMaxOffset);
  const double width =
      unit * std::exp(std::clamp(Dot(map.log_width, features.even), -kMaxLogRatio, kMaxLogRatio));
  const double height =
      unit * std::exp(std::clamp(Dot(map.log_height, features.even), -kMaxLogRatio, kMaxLogRatio));
  return {face.box.x + face.box.width / 2 + x * unit - width / 2,
          face.box.y + face.box.height / 2 + y * unit - height / 2, width, height};
}

Face ToFace(const SsdFace& face, const BoxMap& map) {
  return {.box = Apply(map, face),
          .score = face.score,
          .landmarks = Landmarks{.right_eye = face.keypoints[SsdFace::kRightEye],
                                 .left_eye = face.keypoints[SsdFace::kLeftEye],
                                 .nose = face.keypoints[SsdFace::kNose],
                                 .mouth = face.keypoints[SsdFace::kMouth]}};
}

Box FromHaar(const Box& haar) {
  // Medians of the same portraits, of the 3,488 that it found.
  constexpr double kYOffset = 0.0111;
  constexpr double kWidth = 0.8110;
  constexpr double kHeight = 1.1163;
  const double width = kWidth * haar.width;
  const double height = kHeight * haar.width;
  return {haar.x + haar.width / 2 - width / 2, haar.y + haar.height / 2 + kYOffset * haar.width - height / 2,
          width, height};
}

}  // namespace unmask
