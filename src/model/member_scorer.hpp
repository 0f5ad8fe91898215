// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "model/network.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// What one network says of one face.
struct MemberOutput {
  float logit = 0;
  std::vector<float> mask;  ///< 0..1 on the grid of its card's `mask`, row by row; empty when it has none
};

/// One network with the card that says what it takes and gives: from pixels to logits and masks. Thread-safe.
class MemberScorer {
 public:
  using Done = std::function<void(Result<std::vector<MemberOutput>>)>;

  /// `batch`: crops that the network takes in one call; 0: any number.
  MemberScorer(ModelCard card, std::unique_ptr<Network> network, std::size_t batch);

  const ModelCard& card() const { return card_; }
  Network& network() const { return *network_; }
  std::size_t batch() const { return batch_; }  ///< as given to the constructor

  /// Resizes a crop (CV_8UC3, blue first, any size) to the network's input: INTER_AREA to shrink,
  /// INTER_LINEAR to enlarge, as in training. The result is small and owns its pixels.
  cv::Mat Prepare(const cv::Mat& crop) const;

  /// Starts scoring prepared crops. `done` gets one output for each, in order, or an error; it is called
  /// once, perhaps before this returns, and must be quick; kCancelled soon after `stop`. May wait until some
  /// of them are computed. Pending calls end before the destructor returns.
  void Start(std::span<const cv::Mat> prepared, const std::stop_token& stop, Done done) const;

 private:
  ModelCard card_;
  std::unique_ptr<Network> network_;  // goes first: its pending calls use the card
  std::size_t batch_;
};

}  // namespace unmask
