// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/close_up_finder.hpp"

#include <algorithm>
#include <array>

#include <opencv2/imgproc.hpp>

namespace unmask::compat {
namespace {

/// Where the network's square lies about the picture: as large as its longer side, in the middle.
struct Square {
  explicit Square(cv::Size picture)
      : side(static_cast<float>(std::max(picture.width, picture.height))),
        x((static_cast<float>(picture.width) - side) / 2),
        y((static_cast<float>(picture.height) - side) / 2) {}

  float side, x, y;
};

/// As MediaPipe's ImageToTensorCalculator does it on a CPU.
cv::Mat Render(const cv::Mat& bgr, const Square& square, int input) {
  const float end = static_cast<float>(input);
  const std::array<cv::Point2f, 4> from{{{square.x, square.y + square.side},
                                         {square.x, square.y},
                                         {square.x + square.side, square.y},
                                         {square.x + square.side, square.y + square.side}}};
  const std::array<cv::Point2f, 4> to{{{0, end}, {0, 0}, {end, 0}, {end, end}}};
  cv::Mat rendered;
  cv::warpPerspective(bgr, rendered, cv::getPerspectiveTransform(from.data(), to.data()), {input, input},
                      cv::INTER_LINEAR, cv::BORDER_CONSTANT);
  return rendered;
}

}  // namespace

cv::Rect RelativeFace::Truncated(cv::Size picture) const {
  // The product is a double there: a Python float times an int.
  const auto pixels = [](float part, int whole) {
    return static_cast<int>(std::clamp(static_cast<double>(part) * whole, -1e6, 1e6));
  };
  return {pixels(x, picture.width), pixels(y, picture.height), pixels(width, picture.width),
          pixels(height, picture.height)};
}

Result<std::shared_ptr<CloseUpFinder>> CloseUpFinder::Load(const std::filesystem::path& folder,
                                                           const NetworkOptions& options) {
  auto network = BlazeFaceNetwork::Load(folder, BlazeFaceNetwork::ShortRange(), options);
  if (!network) return tl::unexpected(network.error());
  return std::shared_ptr<CloseUpFinder>(new CloseUpFinder(std::move(*network)));
}

Result<std::vector<RelativeFace>> CloseUpFinder::Find(const cv::Mat& bgr, double min_score) const {
  const int input = network_->input_size();
  const Square square(bgr.size());
  const auto found = network_->FindInInput(Render(bgr, square, input), min_score);
  if (!found) return tl::unexpected(found.error());
  std::vector<RelativeFace> faces;
  const double scale = static_cast<double>(square.side) / input;
  for (const SsdFace& face : *found)
    faces.push_back({.x = static_cast<float>((face.box.x * scale + square.x) / bgr.cols),
                     .y = static_cast<float>((face.box.y * scale + square.y) / bgr.rows),
                     .width = static_cast<float>(face.box.width * scale / bgr.cols),
                     .height = static_cast<float>(face.box.height * scale / bgr.rows),
                     .score = face.score});
  return faces;
}

}  // namespace unmask::compat
