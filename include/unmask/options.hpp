// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

struct MediaFacts;

/// How frames of a video are chosen. Stills have one frame.
enum class SampleMode {
  kFps,        ///< for each sample time t the first reference frame at or after t
  kKeyframes,  ///< key frames only: several times cheaper, but with gaps as long as the encoder made them
               ///< (triage)
  kPicked,     ///< frames by index, see AnalysisOptions::pick
};

/// "fps", "keyframes" or "picked".
std::string_view SampleModeName(SampleMode mode);

/// Frames by their index: from 0, in order of presentation, as Frame::index counts. A still is frame 0.
/// Frames that do not exist or cannot be decoded are left out.
struct FramePick {
  static constexpr std::size_t kMaxIndices = 4096;
  static constexpr std::int64_t kMaxIndex = 0xFFFFFFFF;

  std::int64_t step = 0;              ///< every step-th frame from 0, when above 0
  std::vector<std::int64_t> indices;  ///< else these, rising; may be empty: no frame then
};

/// What one analysis may be told. Every field has a default that suits a first look; each one is stated in
/// the report.
struct AnalysisOptions {
  SampleMode mode = SampleMode::kFps;
  double fps = 2.0;       ///< samples a second, 0.01..60; raise it for manipulations shorter than a second
  int max_frames = 256;   ///< 1..4096; a longer clip is sampled more thinly over its whole length, never cut
                          ///< off (kPicked: the frames after the first so many are left out)
  bool stability = true;  ///< score the most telling faces again under mild re-encodings
  bool keep_frames = false;  ///< keep the best frame of each track as a picture in the report, for overlays

  /// With kPicked, and only then: asked once, when it is known what the media is, in the thread that
  /// analyses. An error ends the analysis with it. Not kept in the report.
  std::function<Result<FramePick>(const MediaFacts&)> pick;
  /// About so many faces of each person are handed to ProgressSink::OnFaces, cut as `unmask faces extract`
  /// cuts them, between once and twice the number, spread over the media; 0: none. Not kept in the report.
  int keep_faces = 0;

  int max_face_frames = 0;     ///< ends the analysis after so many frames with a face; 0: never
  std::string face_finder;     ///< engines with several face finders: the one to use; empty: their default
  bool whole_picture = false;  ///< engines that can: find no faces, judge the picture itself
};

}  // namespace unmask
