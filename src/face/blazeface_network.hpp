// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "face/box_mapping.hpp"
#include "face/ssd.hpp"
#include "model/network.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// One of MediaPipe's two BlazeFace networks with its anchors. Thread-safe.
class BlazeFaceNetwork {
 public:
  struct Kind {
    const char* file;
    const char* sha256;
    int input_size;
    std::vector<AnchorLayer> layers;
    const BoxMap* map;
  };
  static const Kind& FullRange();
  static const Kind& ShortRange();

  /// kNotFound when the file is absent; kInternal when its content is another one or the engine refuses it.
  static Result<std::unique_ptr<BlazeFaceNetwork>> Load(const std::filesystem::path& folder, const Kind& kind,
                                                        const NetworkOptions& options);

  /// Faces in a region of the picture, in pixels of the picture, with the network's own boxes, double ones
  /// suppressed. `region` may reach beyond the picture's edges; it is black there.
  Result<std::vector<SsdFace>> Find(const cv::Mat& bgr, const cv::Rect& region, double min_score) const;

  /// The same for a picture (CV_8UC3, blue first) that is the network's input already, in its pixels.
  Result<std::vector<SsdFace>> FindInInput(const cv::Mat& input, double min_score) const;

  /// Sides of the network's input, pixels.
  int input_size() const { return kind_.input_size; }

  const BoxMap& map() const { return *kind_.map; }

 private:
  BlazeFaceNetwork(const Kind& kind, std::unique_ptr<Network> network);

  const Kind& kind_;
  std::vector<Point> anchors_;
  std::unique_ptr<Network> network_;
};

}  // namespace unmask
