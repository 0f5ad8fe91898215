// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <future>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "model/member_scorer.hpp"
#include "model/network.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// What a model says of one face.
struct FaceScore {
  float logit = 0;                    ///< of an ensemble: its members' logits by its combination
  std::vector<MemberOutput> members;  ///< what each network said: of an ensemble several, else the one
};

/// A face as each network of a model takes it.
struct PreparedFace {
  std::vector<cv::Mat> inputs;  ///< one for each network
};

/// A face model ready to score: its card with its network, or those of an ensemble's members. Thread-safe.
class Scorer {
 public:
  /// Loads each network as LoadModelNetwork() does. The card is one that the repository gave.
  static Result<std::unique_ptr<Scorer>> Load(ModelCard card, const NetworkOptions& options);

  /// A model with one network. `batch`: crops that it takes in one call; 0: any number.
  Scorer(ModelCard card, std::unique_ptr<Network> network, std::size_t batch = 0);

  /// An ensemble, with the networks of its card's members, in their order.
  Scorer(ModelCard card, std::vector<std::unique_ptr<MemberScorer>> members);

  const ModelCard& card() const { return card_; }

  /// The networks: of an ensemble several, else the one.
  std::size_t size() const { return members_.size(); }
  /// What the network takes and gives: the card of a member, or the model's own.
  const ModelCard& member(std::size_t i) const { return members_[i]->card(); }

  /// The first network and the crops that it takes in one call (0: any number), for those who have tensors of
  /// their own instead of crops. An ensemble has several and cannot be asked like that.
  Network& network() const { return members_.front()->network(); }
  std::size_t batch() const { return members_.front()->batch(); }

  /// Whether some network takes any number of crops in one call, as those elsewhere and on a GPU do: a call
  /// of those has a cost of its own.
  bool takes_any_number() const;

  /// The squares around a face that the networks see, each once; the first is the first network's.
  const std::vector<CropRule>& views() const { return views_; }
  /// Which of them a network sees.
  std::size_t view_of(std::size_t i) const { return view_of_[i]; }

  /// Makes the networks' inputs of one crop for each view (CV_8UC3, blue first, any size); of a single crop
  /// it makes all, as if it were every view.
  PreparedFace Prepare(std::span<const cv::Mat> crops) const;
  PreparedFace Prepare(const cv::Mat& crop) const;

  /// Starts scoring prepared faces. The future gives one score for each, in order, or the error of the first
  /// network that failed, by name: an ensemble never judges with a part of its members. kCancelled soon after
  /// `stop` (Network::Start). May wait until some of them are computed.
  std::future<Result<std::vector<FaceScore>>> Start(std::span<const PreparedFace> prepared,
                                                    std::stop_token stop = {}) const;

  /// The calibrated probability of manipulation, 0..1.
  double Calibrate(double logit) const;

 private:
  void Arrange();

  ModelCard card_;
  std::vector<CropRule> views_;
  std::vector<std::size_t> view_of_;
  /// In which the networks are started: one that takes crops one by one holds up those who start it, so that
  /// one elsewhere that came later would wait for it instead of working beside it.
  std::vector<std::size_t> order_;
  std::vector<std::unique_ptr<MemberScorer>> members_;  // go first: pending calls use the card
};

}  // namespace unmask
