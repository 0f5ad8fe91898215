// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <future>
#include <map>
#include <memory>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "model/scorer.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// Scores the faces of one file in batches while the next frames are decoded, and keeps the pictures of each
/// track's most telling face. Batches hold consecutive faces of one file only, so a score never depends on
/// what else is being analysed. Memory is bounded: pictures of at most `kPending` batches and of one face a
/// track. Not thread-safe.
class FaceScores {
 public:
  static constexpr std::size_t kBatch = 4;    ///< faces that are computed together
  static constexpr std::size_t kPending = 4;  ///< batches in flight before Add() waits

  /// Pictures for people to look at.
  struct Pictures {
    std::shared_ptr<const Picture> face;
    std::shared_ptr<const Picture> whole;  ///< may be null
    double whole_scale = 1;
  };

  explicit FaceScores(const Scorer& scorer) : scorer_(scorer) {}

  /// Queues one face. `crop` is what the model sees, of any size; it is copied.
  Result<void> Add(FaceReport face, const cv::Mat& crop, Pictures pictures);

  /// Waits for all scores and returns the faces in the order in which they were added, with score and logit.
  Result<std::vector<FaceReport>> Finish();

  /// The pictures of the track's most telling face, once Finish() has returned.
  const Pictures& BestOf(int track) const { return best_.at(track).pictures; }

  /// Milliseconds that Add() and Finish() waited for the network.
  double waited_ms() const { return waited_ms_; }

 private:
  struct Batch {
    std::vector<FaceReport> faces;
    std::vector<cv::Mat> prepared;
    std::vector<Pictures> pictures;
    std::future<Result<std::vector<float>>> logits;
  };
  struct Best {
    bool used = false;
    double logit = 0;
    Pictures pictures;
  };

  void Launch();
  Result<void> Collect();
  void KeepBest(const FaceReport& face, Pictures pictures);

  const Scorer& scorer_;
  Batch open_;
  std::deque<Batch> pending_;
  std::vector<FaceReport> done_;
  std::map<int, Best> best_;
  double waited_ms_ = 0;
};

}  // namespace unmask
