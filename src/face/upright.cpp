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
// Larger faces are reduced to this longer side, pixels: networks see less, and the room around a face that
// fills a picture would take sixteen times the picture's memory.
constexpr double kLargest = 400;
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

/// A face and its surroundings, reduced when it is large: by `scale`, from `corner` of the picture on.
struct Surroundings {
  cv::Mat bgr;
  Face face;
  Point corner;
  double scale = 1;

  UprightFace InPicture(UprightFace upright) const {
    upright.centre = {corner.x + upright.centre.x / scale, corner.y + upright.centre.y / scale};
    upright.scale = scale;
    return upright;
  }
};

Surroundings SurroundingsOf(const cv::Mat& bgr, const Face& face) {
  const double longer = std::max(face.box.width, face.box.height);
  if (!(longer > kLargest)) return {.bgr = bgr, .face = face, .corner = {}};
  const double room = kRoom * longer;
  const Point middle = Centre(face.box);
  const cv::Rect inside = cv::Rect(cv::Rect2d(middle.x - room / 2, middle.y - room / 2, room, room)) &
                          cv::Rect({0, 0}, bgr.size());
  if (inside.empty()) return {.bgr = bgr, .face = face, .corner = {}};
  Surroundings reduced{.bgr = {},
                       .face = face,
                       .corner = {static_cast<double>(inside.x), static_cast<double>(inside.y)},
                       .scale = kLargest / longer};
  cv::resize(bgr(inside), reduced.bgr, {}, reduced.scale, reduced.scale, cv::INTER_AREA);
  const auto in_it = [&](const Point& at) {
    return Point{(at.x - reduced.corner.x) * reduced.scale, (at.y - reduced.corner.y) * reduced.scale};
  };
  const Point corner = in_it({face.box.x, face.box.y});
  reduced.face.box = {corner.x, corner.y, face.box.width * reduced.scale, face.box.height * reduced.scale};
  if (reduced.face.landmarks) {
    Landmarks& marks = *reduced.face.landmarks;
    for (Point* mark : {&marks.right_eye, &marks.left_eye, &marks.nose, &marks.mouth}) *mark = in_it(*mark);
  }
  return reduced;
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
  const Point away = Turned(Centre(ToBox(square)), here, {0, 0}, roll);
  const double width = square.width / scale;
  const double height = square.height / scale;
  return {centre.x + away.x / scale - width / 2, centre.y + away.y / scale - height / 2, width, height};
}

std::optional<UprightFace> TurnUpright(const cv::Mat& bgr, const Face& face, FaceDetector& detector,
                                       Effort effort) {
  double roll = RollOf(face);
  const bool leans = NeedsTurning(roll);
  const bool asks = effort == Effort::kThorough && face.landmarks && face.score < kSurelyUpright;
  if (!leans && !asks) return std::nullopt;
  const Surroundings around = SurroundingsOf(bgr, face);
  std::optional<UprightFace> upright;
  if (!leans) upright = UpsideDown(around.bgr, around.face, detector);
  for (int looks = 0; looks < kLooks && NeedsTurning(roll); ++looks) {
    upright = Turn(around.bgr, around.face, Straightened(roll));
    const auto found = detector.DetectNear(upright->picture, upright->face.box);
    if (!found) break;
    upright->face = *found;
    // Detectors underrate how far a face leans: what is left is seen better from here.
    const double left = RollOf(*found);
    if (!NeedsTurning(left)) break;
    roll = upright->roll + left;
  }
  if (!upright) return std::nullopt;
  return around.InPicture(std::move(*upright));
}

}  // namespace unmask
