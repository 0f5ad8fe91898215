// SPDX-License-Identifier: Apache-2.0
#include "face/quality.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

#include "face/drawing.hpp"
#include "face/letterbox.hpp"
#include "face/pattern.hpp"

namespace unmask {
namespace {

constexpr int kWidth = 96;
// The ratio of variances of an ordinary face: the median of portraits and of DFDC's faces alike.
constexpr double kHalfSharp = 0.02;
// Below this spread of luma (8 bits) there is nothing to be sharp: noise would decide.
constexpr double kLeastContrast = 2;

// A head's proportions. The nose's tip stands out from the plane of the eyes and the mouth by half of the
// distance between the eyes; seen from the front, it lies at this part of the way from the eyes to the mouth
// (the median of 996 portraits; YuNet sets it at 0.59).
constexpr double kNoseDepth = 0.5;
constexpr double kNoseHeight = 0.55;

struct Light {
  double brightness = 0;
  double sharpness = 0;
};

Light MeasureLight(const cv::Mat& face) {
  cv::Mat luma;
  const int width = std::min(kWidth, face.cols);
  const int height =
      std::max(1, static_cast<int>(std::lround(static_cast<double>(face.rows) * width / face.cols)));
  cv::resize(face, luma, cv::Size(width, height), 0, 0, cv::INTER_AREA);
  cv::cvtColor(luma, luma, cv::COLOR_BGR2GRAY);
  cv::Scalar mean, spread;
  cv::meanStdDev(luma, mean, spread);
  Light light{.brightness = mean[0] / 255};
  if (spread[0] < kLeastContrast) return light;
  // A little blur first: noise and aliasing are not sharpness.
  cv::GaussianBlur(luma, luma, cv::Size(5, 5), 1.0);
  cv::Mat edges;
  cv::Laplacian(luma, edges, CV_32F);
  cv::Scalar ignored, edge_spread;
  cv::meanStdDev(edges, ignored, edge_spread);
  const double ratio = edge_spread[0] * edge_spread[0] / (spread[0] * spread[0]);
  light.sharpness = ratio / (ratio + kHalfSharp);
  return light;
}

struct Pose {
  double yaw = 0;
  double pitch = 0;
};

Pose EstimatePose(const Landmarks& landmarks) {
  const Point eyes{(landmarks.right_eye.x + landmarks.left_eye.x) / 2,
                   (landmarks.right_eye.y + landmarks.left_eye.y) / 2};
  // The face's own axes in the picture, so that a tilted head does not look turned: down from the eyes to the
  // mouth, across at a right angle to it. The line between the eyes would vanish in profile.
  Point down{landmarks.mouth.x - eyes.x, landmarks.mouth.y - eyes.y};
  const double height = std::hypot(down.x, down.y);
  if (!(height > 0)) return {};
  down = {down.x / height, down.y / height};
  const Point across{down.y, -down.x};
  const Point nose{landmarks.nose.x - eyes.x, landmarks.nose.y - eyes.y};
  const double eye_distance = (landmarks.left_eye.x - landmarks.right_eye.x) * across.x +
                              (landmarks.left_eye.y - landmarks.right_eye.y) * across.y;
  const double sideways = nose.x * across.x + nose.y * across.y;
  const double along = (nose.x * down.x + nose.y * down.y) / height;
  const double degrees = 180 / std::numbers::pi;
  return {.yaw = degrees * std::atan2(sideways, kNoseDepth * std::max(eye_distance, 0.0)),
          .pitch = degrees * std::atan((kNoseHeight - along) / kNoseDepth)};
}

}  // namespace

FaceQuality MeasureQuality(const cv::Mat& picture, const Face& face, const QualityLimits& limits) {
  FaceQuality quality;
  double pattern = 0;
  quality.size = std::max(0.0, std::min(face.box.width, face.box.height));
  const cv::Rect box = cv::Rect(cv::Rect2d(face.box.x, face.box.y, face.box.width, face.box.height)) &
                       cv::Rect({0, 0}, picture.size());
  if (!box.empty()) {
    const cv::Mat pixels = AsBgr(picture(box));
    const Light light = MeasureLight(pixels);
    quality.drawing = DrawingLikeness(pixels);
    pattern = PatternStrength(pixels);
    quality.brightness = light.brightness;
    quality.sharpness = light.sharpness;
  }
  if (face.landmarks) {
    const Pose pose = EstimatePose(*face.landmarks);
    quality.yaw = pose.yaw;
    quality.pitch = pose.pitch;
  }
  if (quality.size < limits.min_size) quality.codes.emplace_back("small");
  if (quality.sharpness < limits.min_sharpness) quality.codes.emplace_back("blurred");
  if (quality.brightness < limits.min_brightness) quality.codes.emplace_back("dark");
  if (quality.brightness > limits.max_brightness) quality.codes.emplace_back("bright");
  if (pattern > limits.max_pattern) quality.codes.emplace_back("patterned");
  if (std::abs(quality.yaw) > limits.max_yaw) quality.codes.emplace_back("profile");
  return quality;
}

}  // namespace unmask
