// SPDX-License-Identifier: Apache-2.0
#include "face/letterbox.hpp"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace unmask {

cv::Mat Shrink(const cv::Mat& original, cv::Size size) {
  cv::Mat picture = original;
  while (picture.cols >= 2 * size.width && picture.rows >= 2 * size.height) {
    cv::Mat half;
    // Even sides take OpenCV's fast path for whole factors.
    cv::resize(picture(cv::Rect(0, 0, picture.cols & ~1, picture.rows & ~1)), half,
               cv::Size(picture.cols / 2, picture.rows / 2), 0, 0, cv::INTER_AREA);
    picture = half;
  }
  if (picture.size() == size) return picture;
  cv::Mat result;
  cv::resize(picture, result, size, 0, 0, cv::INTER_LINEAR);
  return result;
}

Point Letterbox::ToPicture(Point in_input) const {
  return {region.x + (in_input.x - place.x) / scale_x, region.y + (in_input.y - place.y) / scale_y};
}

Box Letterbox::ToPicture(const Box& in_input) const {
  const Point corner = ToPicture(Point{in_input.x, in_input.y});
  return {corner.x, corner.y, in_input.width / scale_x, in_input.height / scale_y};
}

Letterbox FitInto(const cv::Rect& region, cv::Size input) {
  const double scale = std::min(static_cast<double>(input.width) / region.width,
                                static_cast<double>(input.height) / region.height);
  Letterbox result{.region = region, .input = input};
  result.place.width = std::clamp(static_cast<int>(std::lround(region.width * scale)), 1, input.width);
  result.place.height = std::clamp(static_cast<int>(std::lround(region.height * scale)), 1, input.height);
  result.place.x = (input.width - result.place.width) / 2;
  result.place.y = (input.height - result.place.height) / 2;
  result.scale_x = static_cast<double>(result.place.width) / region.width;
  result.scale_y = static_cast<double>(result.place.height) / region.height;
  return result;
}

cv::Mat Render(const cv::Mat& bgr, const Letterbox& letterbox) {
  cv::Mat result = cv::Mat::zeros(letterbox.input, CV_8UC3);
  const cv::Rect seen = letterbox.region & cv::Rect({0, 0}, bgr.size());
  if (seen.empty()) return result;
  const auto place = [&](int in_picture, int start, int place_start, double scale) {
    return place_start + static_cast<int>(std::lround((in_picture - start) * scale));
  };
  const cv::Point from(place(seen.x, letterbox.region.x, letterbox.place.x, letterbox.scale_x),
                       place(seen.y, letterbox.region.y, letterbox.place.y, letterbox.scale_y));
  const cv::Point to(place(seen.br().x, letterbox.region.x, letterbox.place.x, letterbox.scale_x),
                     place(seen.br().y, letterbox.region.y, letterbox.place.y, letterbox.scale_y));
  const cv::Rect target(std::min(from.x, letterbox.input.width - 1),
                        std::min(from.y, letterbox.input.height - 1), std::max(1, to.x - from.x),
                        std::max(1, to.y - from.y));
  Shrink(bgr(seen), target.size()).copyTo(result(target));
  return result;
}

cv::Mat AsBgr(const cv::Mat& picture) {
  if (picture.empty() || picture.dims != 2) return {};
  cv::Mat bytes = picture;
  if (picture.depth() == CV_16U)
    picture.convertTo(bytes, CV_8U, 1.0 / 257);
  else if (picture.depth() != CV_8U)
    return {};
  cv::Mat bgr;
  switch (bytes.channels()) {
    case 1:
      cv::cvtColor(bytes, bgr, cv::COLOR_GRAY2BGR);
      return bgr;
    case 3:
      return bytes;
    case 4:
      cv::cvtColor(bytes, bgr, cv::COLOR_BGRA2BGR);
      return bgr;
    default:
      return {};
  }
}

}  // namespace unmask
