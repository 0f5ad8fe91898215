// SPDX-License-Identifier: Apache-2.0
#include "face/blazeface_network.hpp"

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "face/detector_file.hpp"
#include "face/letterbox.hpp"

namespace unmask {
namespace {

constexpr double kSuppressionIou = 0.3;  // min_suppression_threshold of MediaPipe's graphs

Tensor ToTensor(const cv::Mat& bgr) {
  const auto width = static_cast<std::size_t>(bgr.cols);
  const auto height = static_cast<std::size_t>(bgr.rows);
  Tensor tensor{.shape = {1, height, width, 3}};
  tensor.values.resize(width * height * 3);
  cv::Mat rgb;
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  cv::Mat floats(bgr.size(), CV_32FC3, tensor.values.data());
  rgb.convertTo(floats, CV_32FC3, 1 / 127.5, -1);
  return tensor;
}

// Whether a box reaches the edge of its region at a place where the picture goes on.
bool IsCut(const Box& box, const cv::Rect& region, cv::Size picture) {
  const double margin = 0.02 * std::max(region.width, region.height);
  return (region.x > 0 && box.x < region.x + margin) || (region.y > 0 && box.y < region.y + margin) ||
         (region.br().x < picture.width && box.x + box.width > region.br().x - margin) ||
         (region.br().y < picture.height && box.y + box.height > region.br().y - margin);
}

}  // namespace

const BlazeFaceNetwork::Kind& BlazeFaceNetwork::FullRange() {
  static const Kind kind{.file = "face_detection_full_range.tflite",
                         .sha256 = "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
                         .input_size = 192,
                         .layers = {{.stride = 4, .per_cell = 1}},
                         .map = &kFullRangeMap};
  return kind;
}

const BlazeFaceNetwork::Kind& BlazeFaceNetwork::ShortRange() {
  static const Kind kind{.file = "face_detection_short_range.tflite",
                         .sha256 = "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
                         .input_size = 128,
                         .layers = {{.stride = 8, .per_cell = 2}, {.stride = 16, .per_cell = 6}},
                         .map = &kShortRangeMap};
  return kind;
}

BlazeFaceNetwork::BlazeFaceNetwork(const Kind& kind, std::unique_ptr<Network> network)
    : kind_(kind), anchors_(MakeAnchors(kind.input_size, kind.layers)), network_(std::move(network)) {}

Result<std::unique_ptr<BlazeFaceNetwork>> BlazeFaceNetwork::Load(const std::filesystem::path& folder,
                                                                 const Kind& kind,
                                                                 const NetworkOptions& options) {
  const auto file = folder / kind.file;
  if (auto checked = CheckDetectorFile(file, kind.sha256); !checked) return tl::unexpected(checked.error());
  NetworkOptions identified = options;
  identified.identity = kind.sha256;
  auto network = LoadNetwork(file, identified);
  if (!network) return tl::unexpected(network.error());
  return std::unique_ptr<BlazeFaceNetwork>(new BlazeFaceNetwork(kind, std::move(*network)));
}

Result<std::vector<SsdFace>> BlazeFaceNetwork::Find(const cv::Mat& bgr, const cv::Rect& region,
                                                    double min_score) const {
  const Letterbox letterbox = FitInto(region, cv::Size(kind_.input_size, kind_.input_size));
  auto faces = FindInInput(Render(bgr, letterbox), min_score);
  if (!faces) return faces;
  for (SsdFace& face : *faces) {
    face.detail = Unit(face);
    face.box = letterbox.ToPicture(face.box);
    for (Point& point : face.keypoints) point = letterbox.ToPicture(point);
    face.cut = IsCut(face.box, region, bgr.size());
  }
  return faces;
}

Result<std::vector<SsdFace>> BlazeFaceNetwork::FindInInput(const cv::Mat& input, double min_score) const {
  const auto outputs = network_->Infer(ToTensor(input));
  if (!outputs) return tl::unexpected(outputs.error());
  const Tensor* boxes = nullptr;
  const Tensor* logits = nullptr;
  for (const Tensor& output : *outputs) {
    if (output.values.size() == anchors_.size()) logits = &output;
    if (output.values.size() == anchors_.size() * 16) boxes = &output;
  }
  if (!boxes || !logits)
    return Fail(ErrorCode::kInternal,
                fmt::format("{} has no outputs for {} anchors", kind_.file, anchors_.size()));

  return SuppressWeighted(DecodeFaces(anchors_, boxes->values, logits->values, min_score), kSuppressionIou);
}

}  // namespace unmask
