// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "face/face.hpp"

namespace unmask {

/// Follows faces from frame to frame, so that one person gets one verdict.
///
/// Matches by overlap and motion, not by identity: a person who leaves for longer than `max_gap` comes back
/// as a new track. Deterministic. Not thread-safe; one tracker serves one media file.
class Tracker {
 public:
  struct Options {
    double min_iou =
        0.2;  ///< least overlap of a face with where its track is expected, 0..1; lower it for fast motion
    double max_gap = 2.1;  ///< longest time without a face before a track ends, seconds
  };

  /// A track that has not ended, and where its face should be now.
  struct Expectation {
    int id = 0;
    Box box;
    double last_seen = 0;  ///< seconds
  };

  explicit Tracker(Options options) : options_(options) {}

  /// Assigns the faces of one frame to tracks and opens new ones. Frames come in rising time. O(tracks x
  /// faces). Returns, for each face, the id of its track, from 1.
  std::vector<int> Update(double time, std::span<const Face> faces);

  /// The tracks that a face at `time` could still belong to, oldest first.
  std::vector<Expectation> Expect(double time) const;

 private:
  struct Track {
    int id = 0;
    double time = 0;
    Box box;
    double vx = 0;  ///< of the box's centre, pixels a second
    double vy = 0;
  };

  Box Predict(const Track& track, double time) const;
  void Move(Track& track, double time, const Box& box) const;

  Options options_;
  int next_id_ = 1;
  std::vector<Track> live_;
};

}  // namespace unmask
