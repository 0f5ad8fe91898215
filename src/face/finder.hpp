// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "face/face.hpp"
#include "face/tracker.hpp"

namespace unmask {

/// Finds the faces of one file's frames at little cost: looks thoroughly at the first frame and now and then,
/// quickly at the others, and follows the faces that a quick look misses by looking near where their tracks
/// expect them. Deterministic. Not thread-safe; one finder serves one file, the detector may serve many.
class FaceFinder {
 public:
  struct Options {
    double thorough_interval = 4.0;  ///< longest time between thorough looks, seconds: for small faces that
                                     ///< come later
    double search_interval = 1.0;  ///< shortest time between thorough looks that a lost face causes, seconds:
                                   ///< bounds the cost of clips with many cuts
    int max_followed = 8;          ///< most faces that are looked for one by one in a frame
  };

  /// The detector must outlive the finder.
  explicit FaceFinder(FaceDetector& detector, Options options);
  explicit FaceFinder(FaceDetector& detector) : FaceFinder(detector, Options()) {}

  /// The faces of the frame at `time` (seconds; frames come in rising time), strongest first. `tracker` knows
  /// the frames before this one; the caller gives it these faces next.
  std::vector<Face> Find(double time, const cv::Mat& bgr, const Tracker& tracker);

 private:
  FaceDetector& detector_;
  Options options_;
  std::optional<double> last_time_;
  std::optional<double> last_thorough_;
};

}  // namespace unmask
