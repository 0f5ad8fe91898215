// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <future>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "analysis/judge.hpp"
#include "model/scorer.hpp"
#include "unmask/report.hpp"

namespace unmask {

/// Scores the faces of one file in batches while the next frames are decoded, and keeps the pictures of each
/// track's most telling face, and the crops of a few. Batches hold consecutive faces of one file only, so a
/// score never depends on what else is being analysed. Memory is bounded: pictures of the faces in flight and
/// of the most suspicious tracks. Not thread-safe.
class FaceScores {
 public:
  static constexpr std::size_t kBatch = 4;  ///< faces of one call
  /// Likewise where a network, or one of an ensemble's, takes any number in one call: elsewhere, or on a GPU,
  /// a call has a cost of its own.
  static constexpr std::size_t kLargeBatch = 16;
  static constexpr std::size_t kInFlight = 16;  ///< faces, or else two batches, before Add() waits

  static constexpr std::size_t kPictures = 64;  ///< tracks of which pictures are kept
  static constexpr std::size_t kCrops = 8;      ///< tracks of which crops are kept
  static constexpr std::size_t kTelling = 2;    ///< crops of a track
  static constexpr int kCropSide = 384;         ///< largest side of a crop that is kept, pixels

  /// Pictures for people to look at.
  struct Pictures {
    std::shared_ptr<const Picture> face;
    Box face_region;
    std::shared_ptr<const Picture> whole;  ///< may be null
    double whole_scale = 1;
    std::shared_ptr<const HeatMap> heat;  ///< filled in when the face is scored, if the model draws one
  };

  /// What one of the model's views shows: the pixels, of any size, and the part of the picture that they are.
  struct View {
    cv::Mat crop;
    Box region;
    double roll = 0;  ///< by which the crop was turned back to be upright, degrees clockwise
  };

  /// The crops of a face, one for each of the model's views, and what the model said.
  struct Telling {
    bool used = false;
    double logit = 0;
    std::vector<cv::Mat> crops;
  };

  /// With `keep_crops`, keeps each track's most telling crops. After `stop` Add() and Finish() may give
  /// kCancelled.
  FaceScores(const Scorer& scorer, bool keep_crops, std::stop_token stop = {})
      : scorer_(scorer),
        points_(PointsOf(scorer.card())),
        keep_crops_(keep_crops),
        batch_(scorer.takes_any_number() ? kLargeBatch : kBatch),
        stop_(std::move(stop)) {}

  /// Queues one face, with one view for each of Scorer::views(). Their pixels are copied.
  Result<void> Add(FaceReport face, std::span<const View> views, Pictures pictures);

  /// Waits for all scores and returns the faces in the order in which they were added, with score and logit.
  Result<std::vector<FaceReport>> Finish();

  /// The pictures of the track's most telling face, once Finish() has returned.
  const Pictures& BestOf(int track) const { return best_.at(track).pictures; }

  /// The track's most telling crops, most telling first; none unless the track is among the most suspicious.
  const std::vector<Telling>& CropsOf(int track) const { return best_.at(track).crops; }

  /// Milliseconds that Add() and Finish() waited for the network.
  double waited_ms() const { return waited_ms_; }

 private:
  struct Queued {
    FaceReport face;
    std::vector<cv::Mat> crops;  ///< none unless crops are kept
    std::vector<View> seen;      ///< the views, without their pixels
    Pictures pictures;
  };
  struct Batch {
    std::vector<Queued> faces;
    std::vector<PreparedFace> prepared;  ///< until the batch is launched
    std::future<Result<std::vector<FaceScore>>> scores;
  };
  struct Best {
    bool used = false;
    double logit = 0;
    Pictures pictures;
    std::vector<Telling> crops;
  };

  void Launch();
  Result<void> Collect();
  void KeepBest(const FaceReport& face, Pictures pictures);
  void KeepCrops(const FaceReport& face, std::vector<cv::Mat> crops);
  /// Of the tracks that `has` something, makes the least suspicious `drop` it when they are more than
  /// `limit`.
  template <typename Has, typename Drop>
  void Bound(std::size_t limit, Has has, Drop drop);

  const Scorer& scorer_;
  const OperatingPoints points_;
  bool keep_crops_;
  std::size_t batch_;
  std::stop_token stop_;
  Batch open_;
  std::deque<Batch> pending_;
  std::vector<FaceReport> done_;
  std::map<int, Best> best_;
  double waited_ms_ = 0;
};

}  // namespace unmask
