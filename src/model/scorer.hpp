// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <memory>
#include <span>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "model/network.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// What the network says of one face.
struct FaceScore {
  float logit = 0;
  std::vector<float>
      mask;  ///< 0..1 on the grid of ModelCard::mask, row by row; empty when the model has none
};

/// A face model ready to score: its card and its network. Thread-safe.
class Scorer {
 public:
  /// Loads the network as LoadModelNetwork() does.
  static Result<std::unique_ptr<Scorer>> Load(ModelCard card, const NetworkOptions& options);

  /// `batch`: crops that the network takes in one call; 0: any number.
  Scorer(ModelCard card, std::unique_ptr<Network> network, std::size_t batch = 0);

  const ModelCard& card() const { return card_; }

  /// For those who have tensors of their own instead of crops. `batch()`: as given to the constructor.
  Network& network() const { return *network_; }
  std::size_t batch() const { return batch_; }

  /// Resizes a crop (CV_8UC3, blue first, any size) to the network's input: INTER_AREA to shrink,
  /// INTER_LINEAR to enlarge, as in training. The result is small and owns its pixels.
  cv::Mat Prepare(const cv::Mat& crop) const;

  /// Starts scoring prepared crops. The future gives one score for each, in order; it may be an error,
  /// kCancelled soon after `stop` (Network::Start). May wait until some of them are computed.
  std::future<Result<std::vector<FaceScore>>> Start(std::span<const cv::Mat> prepared,
                                                    std::stop_token stop = {}) const;

  /// The calibrated probability of manipulation, 0..1.
  double Calibrate(double logit) const;

 private:
  ModelCard card_;
  std::unique_ptr<Network> network_;
  std::size_t batch_;
};

}  // namespace unmask
