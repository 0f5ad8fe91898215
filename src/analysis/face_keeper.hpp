// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "face/face.hpp"
#include "unmask/kept_faces.hpp"

namespace unmask {

/// Chooses a few faces of each track while they come, spread over the whole track, without knowing how long
/// it will be: each stretch of time gives its best face (fewest quality codes, then the sharpest, then the
/// earliest), and when there are twice as many stretches as wanted, neighbours become one. So a track of n
/// faces gives n of them up to twice the number that is wanted, else between once and twice that.
///
/// Memory is bounded: `kTracks` tracks are followed, those with the most faces, at 147 KiB a face. Not
/// thread-safe.
class FaceKeeper {
 public:
  static constexpr std::size_t kTracks = 16;
  static constexpr std::size_t kMost = 32;  ///< faces that Take() gives

  /// `per_track` is 1 or more.
  explicit FaceKeeper(std::size_t per_track) : per_track_(per_track) {}

  /// One face; those of a track come in order of time. `crop` shows `rect` of the picture and is copied when
  /// the face is kept for now; an empty one is passed over.
  void Add(const FaceReport& report, const Face& face, const cv::Rect& rect, const cv::Mat& crop);

  /// The faces that were chosen, of the most suspicious tracks of the report first, in full until there are
  /// kMost. The last call.
  std::vector<KeptFace> Take(const std::vector<TrackReport>& tracks);

 private:
  struct Track {
    std::size_t seen = 0;             ///< faces so far
    std::size_t stretch = 1;          ///< faces of a stretch
    std::size_t in_last = 0;          ///< faces of the last stretch so far
    std::vector<KeptFace> stretches;  ///< the best of each
  };
  void Bound();

  const std::size_t per_track_;
  std::map<int, Track> tracks_;
};

}  // namespace unmask
