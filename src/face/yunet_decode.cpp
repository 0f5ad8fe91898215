// SPDX-License-Identifier: Apache-2.0
#include "face/yunet_decode.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <fmt/format.h>

#include "face/geometry.hpp"

namespace unmask {
namespace {

constexpr int kStrides[] = {8, 16, 32};
constexpr double kSuppressionIou = 0.3;  // nms_threshold of OpenCV's FaceDetectorYN
constexpr std::size_t kBoxNumbers = 4;
constexpr std::size_t kPointNumbers = 10;

std::size_t CellsOf(cv::Size input, int stride) {
  return static_cast<std::size_t>(input.width / stride) * static_cast<std::size_t>(input.height / stride);
}

double Probability(float value) { return std::clamp(static_cast<double>(value), 0.0, 1.0); }

}  // namespace

Result<std::vector<YuNetLevel>> SortOutputs(std::span<const Tensor> outputs, cv::Size input) {
  std::vector<YuNetLevel> levels;
  for (const int stride : kStrides) {
    const std::size_t cells = CellsOf(input, stride);
    YuNetLevel level{.stride = stride};
    std::size_t scores = 0;
    for (const Tensor& output : outputs) {
      const std::size_t channels = output.shape.empty() ? 0 : output.shape.back();
      if (channels == 0 || output.values.size() != cells * channels) continue;
      if (channels == 1 && scores < 2) level.scores[scores++] = &output;
      if (channels == kBoxNumbers) level.boxes = &output;
      if (channels == kPointNumbers) level.points = &output;
    }
    if (scores != 2 || !level.boxes || !level.points)
      return Fail(
          ErrorCode::kBadRequest,
          fmt::format("the network is not YuNet: expected, for stride {}, outputs of {} cells with 1, 1, 4 "
                      "and 10 numbers",
                      stride, cells),
          "give an ONNX file of YuNet with raw heads, such as face_detection_yunet_2023mar.onnx");
    levels.push_back(level);
  }
  return levels;
}

std::vector<Face> DecodeYuNet(std::span<const YuNetLevel> levels, cv::Size input, double min_score) {
  std::vector<Face> faces;
  for (const YuNetLevel& level : levels) {
    const std::size_t columns = static_cast<std::size_t>(input.width / level.stride);
    for (std::size_t i = 0; i < CellsOf(input, level.stride); ++i) {
      const double score =
          std::sqrt(Probability(level.scores[0]->values[i]) * Probability(level.scores[1]->values[i]));
      if (!(score >= min_score)) continue;
      const double column = static_cast<double>(i % columns);
      const double row = static_cast<double>(i / columns);
      const auto point = [&](const float* offset) {
        return Point{(column + offset[0]) * level.stride, (row + offset[1]) * level.stride};
      };
      const float* raw = &level.boxes->values[i * kBoxNumbers];
      const float* points = &level.points->values[i * kPointNumbers];
      const Point centre = point(raw);
      const double width = std::exp(raw[2]) * level.stride;
      const double height = std::exp(raw[3]) * level.stride;
      const Point right_mouth = point(points + 6);
      const Point left_mouth = point(points + 8);
      Face face{.box = {centre.x - width / 2, centre.y - height / 2, width, height},
                .score = score,
                .landmarks = Landmarks{
                    .right_eye = point(points),
                    .left_eye = point(points + 2),
                    .nose = point(points + 4),
                    .mouth = {(right_mouth.x + left_mouth.x) / 2, (right_mouth.y + left_mouth.y) / 2}}};
      if (std::isfinite(face.box.x) && std::isfinite(face.box.y) && std::isfinite(Area(face.box)))
        faces.push_back(face);
    }
  }
  std::sort(faces.begin(), faces.end(), [](const Face& a, const Face& b) {
    return std::tuple(-a.score, a.box.x, a.box.y, a.box.width) <
           std::tuple(-b.score, b.box.x, b.box.y, b.box.width);
  });
  std::vector<Face> kept;
  for (const Face& face : faces)
    if (std::none_of(kept.begin(), kept.end(),
                     [&](const Face& other) { return Iou(face.box, other.box) > kSuppressionIou; }))
      kept.push_back(face);
  return kept;
}

}  // namespace unmask
