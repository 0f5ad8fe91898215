// SPDX-License-Identifier: Apache-2.0
#include "face/upright.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

#include "face/crop.hpp"
#include "face/geometry.hpp"

namespace unmask {
namespace {

// docs/faces.md, "Turned faces".
constexpr double kUprightRoll = 20;
constexpr double kSurelyUpright = 0.9;
constexpr double kSureTurned = 0.8;
constexpr double kSurer = 0.05;
constexpr double kRoom = 4;  // of the box's longer side: what DetectNear() looks at, and any model's crop
constexpr int kLooks = 3;    // at most, until a face stands upright
constexpr double kDegrees = 180 / std::numbers::pi;

Point Turned(const Point& at, const Point& from, const Point& to, double degrees) {
  const double sine = std::sin(degrees / kDegrees);
  const double cosine = std::cos(degrees / kDegrees);
  const double x = at.x - from.x;
  const double y = at.y - from.y;
  return {to.x + cosine * x - sine * y, to.y + sine * x + cosine * y};
}

/// The square of `side` around `centre`, turned counter-clockwise by `degrees`.
cv::Mat TurnedSquare(const cv::Mat& bgr, const cv::Rect& square, const Point& centre, double degrees) {
  const double quarters = degrees / 90;
  if (quarters == std::round(quarters)) {
    constexpr std::array kTurns = {cv::ROTATE_90_COUNTERCLOCKWISE, cv::ROTATE_180, cv::ROTATE_90_CLOCKWISE};
    const int turns = (static_cast<int>(quarters) % 4 + 4) % 4;
    const cv::Mat pixels = CropPixels(bgr, square);
    if (turns == 0) return pixels;
    cv::Mat turned;
    cv::rotate(pixels, turned, kTurns.at(static_cast<std::size_t>(turns - 1)));
    return turned;
  }
  // OpenCV's coordinates are of pixels' centres.
  cv::Mat matrix = cv::getRotationMatrix2D(
      {static_cast<float>(centre.x - 0.5), static_cast<float>(centre.y - 0.5)}, degrees, 1);
  matrix.at<double>(0, 2) -= square.x;
  matrix.at<double>(1, 2) -= square.y;
  cv::Mat turned;
  cv::warpAffine(bgr, turned, matrix, square.size(), cv::INTER_CUBIC, cv::BORDER_REPLICATE);
  return turned;
}

bool NeedsTurning(double roll) { return std::abs(std::remainder(roll, 360)) > kUprightRoll; }

/// Near a quarter turn, that.
double Straightened(double roll) {
  const double quarter = 90 * std::round(roll / 90);
  return std::abs(roll - quarter) <= kUprightRoll ? quarter : roll;
}

/// The face as it is when its surroundings are turned back by `roll`; its box is a guess.
UprightFace Turn(const cv::Mat& bgr, const Face& face, double roll) {
  const int half = std::max(1, cvRound(kRoom / 2 * std::max(face.box.width, face.box.height)));
  const Point middle = Centre(face.box);
  const cv::Rect square(cvRound(middle.x) - half, cvRound(middle.y) - half, 2 * half, 2 * half);
  UprightFace upright{.picture = {}, .face = face, .roll = roll, .centre = Centre(ToBox(square))};
  upright.picture = TurnedSquare(bgr, square, upright.centre, roll);

  const Point here = Centre(ToBox(cv::Rect({0, 0}, square.size())));
  const Point at = Turned(middle, upright.centre, here, -roll);
  // Faces are a little higher than wide.
  const double width = std::min(face.box.width, face.box.height);
  const double height = std::max(face.box.width, face.box.height);
  upright.face.box = {at.x - width / 2, at.y - height / 2, width, height};
  if (upright.face.landmarks) {
    Landmarks& marks = *upright.face.landmarks;
    for (Point* mark : {&marks.right_eye, &marks.left_eye, &marks.nose, &marks.mouth})
      *mark = Turned(*mark, upright.centre, here, -roll);
  }
  return upright;
}

/// Detectors see eyes above the mouth in a face that is upside down, too, but are surer when it is turned.
std::optional<UprightFace> UpsideDown(const cv::Mat& bgr, const Face& face, FaceDetector& detector) {
  UprightFace turned = Turn(bgr, face, 180);
  const auto found = detector.DetectNear(turned.picture, turned.face.box);
  if (!found || found->score < kSureTurned || found->score < face.score + kSurer) return std::nullopt;
  turned.face = *found;
  return turned;
}

}  // namespace

double RollOf(const Face& face) {
  if (!face.landmarks) return 0;
  const Landmarks& marks = *face.landmarks;
  const Point across{marks.left_eye.x - marks.right_eye.x, marks.left_eye.y - marks.right_eye.y};
  const Point down{marks.mouth.x - (marks.right_eye.x + marks.left_eye.x) / 2,
                   marks.mouth.y - (marks.right_eye.y + marks.left_eye.y) / 2};
  return kDegrees * std::atan2(across.y - down.x, across.x + down.y);
}

Box UprightFace::InPicture(const cv::Rect& square) const {
  const Point here{picture.cols / 2.0, picture.rows / 2.0};
  const Point middle = Turned(Centre(ToBox(square)), here, centre, roll);
  return {middle.x - square.width / 2.0, middle.y - square.height / 2.0, static_cast<double>(square.width),
          static_cast<double>(square.height)};
}

std::optional<UprightFace> TurnUpright(const cv::Mat& bgr, const Face& face, FaceDetector& detector,
                                       Effort effort) {
  double roll = RollOf(face);
  if (!NeedsTurning(roll)) {
    const bool asks = effort == Effort::kThorough && face.landmarks && face.score < kSurelyUpright;
    return asks ? UpsideDown(bgr, face, detector) : std::nullopt;
  }
  std::optional<UprightFace> upright;
  for (int looks = 0; looks < kLooks && NeedsTurning(roll); ++looks) {
    upright = Turn(bgr, face, Straightened(roll));
    const auto found = detector.DetectNear(upright->picture, upright->face.box);
    if (!found) break;
    upright->face = *found;
    // Detectors underrate how far a face leans: what is left is seen better from here.
    const double left = RollOf(*found);
    if (!NeedsTurning(left)) break;
    roll = upright->roll + left;
  }
  return upright;
}

}  // namespace unmask
