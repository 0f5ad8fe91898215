// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <opencv2/core.hpp>

#include "face/detector_support.hpp"
#include "face/detectors.hpp"
#include "face/yunet_decode.hpp"
#include "model/network.hpp"

namespace unmask {
namespace {

// The published file's fixed input; one with free sides takes it, too.
constexpr int kSide = 640;

Tensor ToTensor(const cv::Mat& picture) {
  const auto height = static_cast<std::size_t>(picture.rows);
  const auto width = static_cast<std::size_t>(picture.cols);
  Tensor tensor{.shape = {1, 3, height, width}};
  tensor.values.resize(3 * height * width);
  std::vector<cv::Mat> planes;
  for (std::size_t channel = 0; channel < 3; ++channel)
    planes.emplace_back(picture.size(), CV_32F, &tensor.values[channel * height * width]);
  cv::Mat floats;
  picture.convertTo(floats, CV_32FC3);
  cv::split(floats, planes);
  return tensor;
}

class YuNet final : public FaceDetector {
 public:
  YuNet(const DetectorOptions& options, std::unique_ptr<Network> network)
      : options_(options), network_(std::move(network)) {}

  std::vector<Face> Detect(const cv::Mat& picture, Effort effort) override {
    return guard_.Run(picture, [&](const cv::Mat& bgr) {
      auto faces = Find(bgr, cv::Rect({0, 0}, bgr.size()));
      // A face that fills the picture is found when it does not any more.
      if (faces && faces->empty() && effort == Effort::kThorough)
        faces = Find(bgr, cv::Rect(-bgr.cols / 2, -bgr.rows / 2, 2 * bgr.cols, 2 * bgr.rows));
      return faces;
    });
  }

  std::optional<Face> DetectNear(const cv::Mat& picture, const Box& expected) override {
    return guard_.RunNear(picture, expected,
                          [&](const cv::Mat& bgr, const cv::Rect& region) { return Find(bgr, region); });
  }

  std::string name() const override { return "yunet"; }

  Result<std::vector<Face>> Find(const cv::Mat& bgr, const cv::Rect& region) const {
    const cv::Size input(kSide, kSide);
    const Letterbox letterbox = FitInto(region, input);
    const auto outputs = network_->Infer(ToTensor(Render(bgr, letterbox)));
    if (!outputs) return tl::unexpected(outputs.error());
    const auto levels = SortOutputs(*outputs, input);
    if (!levels) return tl::unexpected(levels.error());
    auto faces = DecodeYuNet(*levels, input, options_.min_score);
    for (Face& face : faces) {
      face.box = letterbox.ToPicture(face.box);
      for (Point* point : {&face.landmarks->right_eye, &face.landmarks->left_eye, &face.landmarks->nose,
                           &face.landmarks->mouth})
        *point = letterbox.ToPicture(*point);
    }
    return Strongest(std::move(faces), options_.max_faces);
  }

 private:
  DetectorOptions options_;
  DetectorGuard guard_{"yunet"};
  std::unique_ptr<Network> network_;
};

}  // namespace

Result<std::unique_ptr<FaceDetector>> MakeYuNet(const DetectorOptions& options) {
  auto network = LoadNetwork(options.yunet, {.threads = options.threads, .throughput = true});
  if (!network) return tl::unexpected(network.error());
  auto detector = std::make_unique<YuNet>(options, std::move(*network));
  // One look at nothing tells whether it is YuNet at all.
  const auto tried = detector->Find(cv::Mat::zeros(kSide, kSide, CV_8UC3), cv::Rect(0, 0, kSide, kSide));
  if (!tried)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("{} cannot be used as a face detector: {}", options.yunet.string(),
                            tried.error().message),
                tried.error().hint.empty() ? "give an ONNX file of YuNet" : tried.error().hint);
  return detector;
}

}  // namespace unmask
