// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "compat/faithful/crop.hpp"
#include "media/media.hpp"
#include "unmask/error.hpp"
#include "unmask/options.hpp"
#include "unmask/report.hpp"

namespace unmask::compat {

/// The part of a frame that a contract's network judges.
struct Region {
  cv::Rect rect;     ///< within the frame, not empty
  double score = 0;  ///< of the face finder, 0..1, where it has one
  std::string_view finder = "none";
};

/// What the numbers of a crop mean.
struct CropValues {
  std::optional<Channels> channels;  ///< none: the operator may feed the network against its training
  double range = 1;                  ///< values are x / range for x in 0..255
};

/// What a contract does to a frame before its network sees it, to the letter: its face finder, its choice of
/// one face, its crop, its resize, its channel order and range (docs/compat.md). Thread-safe.
class Steps {
 public:
  virtual ~Steps() = default;

  /// The size of crops.
  virtual cv::Size input() const = 0;

  /// What Prepare() writes.
  virtual CropValues values() const = 0;

  /// Whether EXIF's orientation is applied to a still.
  virtual bool turn() const { return true; }

  /// The face finder that is used when none is asked for, in the words of reports.
  virtual std::string_view finder() const { return "none"; }

  /// The one face of a frame (CV_8UC3, blue first); nothing when there is none: such a frame is left out.
  /// Errors end the analysis.
  virtual Result<std::optional<Region>> Find(const cv::Mat& bgr, const AnalysisOptions& options) const = 0;

  /// Writes the pixels of a region, blue first, as the network takes them: rows of pixels of three floats,
  /// input().area() * 3 of them.
  virtual void Prepare(const cv::Mat& pixels, const MediaInfo& media, std::span<float> crop) const = 0;

  /// The frames that are judged by their middle() when no frame has a face, rising; none: there is no such
  /// rule.
  virtual std::vector<std::int64_t> Fallback(const MediaFacts&) const { return {}; }
  virtual double FallbackTime(const MediaFacts&, std::int64_t /*index*/) const { return 0; }
};

/// The whole frame, as a region that nobody had to find.
inline Region WholeFrame(const cv::Mat& frame) { return {.rect = {0, 0, frame.cols, frame.rows}}; }

/// The largest square in the middle.
cv::Rect MiddleSquare(cv::Size size);

}  // namespace unmask::compat
