// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace unmask {

/// How frames of a video are chosen. Stills have one frame.
enum class SampleMode {
  kFps,        ///< for each sample time t the first reference frame at or after t
  kKeyframes,  ///< key frames only: several times cheaper, but with gaps as long as the encoder made them
               ///< (triage)
};

/// What one analysis may be told. Every field has a default that suits a first look; each one is stated in
/// the report.
struct AnalysisOptions {
  SampleMode mode = SampleMode::kFps;
  double fps = 2.0;  ///< samples a second, 0.01..60; raise it for manipulations shorter than a second
  int max_frames =
      256;  ///< 1..4096; a longer clip is sampled more thinly over its whole length, never cut off
  bool stability = true;     ///< score the most telling faces again under mild re-encodings
  bool keep_frames = false;  ///< keep the best frame of each track as a picture in the report, for overlays
};

}  // namespace unmask
