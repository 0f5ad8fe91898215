// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include "face/face.hpp"
#include "face/tracker.hpp"

namespace unmask {

/// Finds the faces of one file's frames at little cost: looks thoroughly at the first frame and now and then,
/// quickly at the others, and follows the faces that a quick look misses, and a few small ones, by looking
/// near where their tracks expect them. Deterministic. Not thread-safe; one finder serves one file, the
/// detector may serve many.
class FaceFinder {
 public:
  struct Options {
    /// Time between thorough looks, seconds. It doubles, up to `longest_interval`, with each one that finds
    /// no new face, and starts anew with each one that does: small faces that come later are found late.
    double thorough_interval = 4.0;
    double longest_interval = 16.0;
    /// Longest time during which one or two small faces are followed without a look at the whole frame,
    /// seconds: for them a look nearby is needed anyway. New large faces are found that much later.
    double whole_interval = 1.0;
    /// Shortest time after a thorough look until a lost face may cause another, seconds: bounds the cost of
    /// clips with many cuts.
    double search_interval = 2.0;
    int max_followed = 8;  ///< most faces that are looked for one by one in a frame
  };

  /// The detector must outlive the finder.
  explicit FaceFinder(FaceDetector& detector, Options options);
  explicit FaceFinder(FaceDetector& detector) : FaceFinder(detector, Options()) {}

  /// The faces of the frame at `time` (seconds; frames come in rising time), strongest first. `tracker` knows
  /// the frames before this one; the caller gives it these faces next.
  std::vector<Face> Find(double time, const cv::Mat& bgr, const Tracker& tracker);

 private:
  bool Passed(double interval, double time) const;  ///< since the last thorough look
  /// The faces of the tracks when looks near them are enough for this frame and find them all.
  std::optional<std::vector<Face>> OnlyFollowed(double time, const cv::Mat& bgr,
                                                const std::vector<Tracker::Expectation>& current);
  std::vector<Face> LookThoroughly(double time, const cv::Mat& bgr);
  /// Looks for the faces of tracks one by one and adds those that are there.
  void Follow(const cv::Mat& bgr, std::vector<Tracker::Expectation> missing, std::vector<Face>& faces);

  FaceDetector& detector_;
  Options options_;
  double interval_;         ///< until the next thorough look
  std::size_t wanted_ = 0;  ///< as many faces were there when one was lost; 0 when none is searched for
  double last_whole_ = -std::numeric_limits<double>::infinity();
  double last_thorough_ = -std::numeric_limits<double>::infinity();
  double last_time_ = -std::numeric_limits<double>::infinity();
  double time_before_last_ = -std::numeric_limits<double>::infinity();
};

}  // namespace unmask
