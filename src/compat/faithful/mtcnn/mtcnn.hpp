// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "compat/faithful/mtcnn/boxes.hpp"
#include "model/network.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

/// A face as the package gives it.
struct MtcnnFace {
  cv::Rect
      box;  ///< x and y are 0 at least; may reach beyond the picture on the right and below, and be empty
  double score = 0;  ///< 0..1
};

/// MTCNN (Zhang et al. 2016, arXiv:1604.02878) as the Python package `mtcnn` 0.1.1 runs it, with its weights
/// and its standard parameters: smallest face 20 pixels, factor 0.709, thresholds 0.6, 0.7, 0.7. Its five
/// points are not computed. Thread-safe.
class Mtcnn {
 public:
  /// Reads mtcnn_{p,r,o}net.xml, which tools/mtcnn_networks.py writes. kNotFound when they are absent,
  /// kInternal when their content is another one. `options` are of each network; its batch is not used.
  static Result<std::shared_ptr<Mtcnn>> Load(const std::filesystem::path& folder,
                                             const NetworkOptions& options);

  /// Faces in the package's order. The colours are taken as they come: the package wants red first, the
  /// service gives it blue first. `picture` is CV_8UC3.
  Result<std::vector<MtcnnFace>> Find(const cv::Mat& picture) const;

 private:
  Mtcnn() = default;

  Result<std::vector<mtcnn::Box>> Propose(const cv::Mat& picture) const;
  Result<std::vector<mtcnn::Box>> Refine(const cv::Mat& picture, std::vector<mtcnn::Box> boxes) const;
  Result<std::vector<mtcnn::Box>> Conclude(const cv::Mat& picture, std::vector<mtcnn::Box> boxes) const;

  std::unique_ptr<Network> pnet_, rnet_, onet_;
};

}  // namespace unmask::compat
