// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>

#include "analysis/judge.hpp"
#include "base/fd.hpp"
#include "face/face.hpp"
#include "media/frame_stream.hpp"
#include "model/scorer.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

/// What all analyses share. Everything in it is thread-safe.
struct Stages {
  DecoderPool& decoders;
  FaceDetector& detector;
  const Scorer& scorer;
};

/// A file that was opened and read once for its hash.
struct OpenedMedia {
  UniqueFd fd;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::chrono::steady_clock::time_point begun;  ///< when it was opened: the report's time counts from here
};
Result<OpenedMedia> OpenMedia(const std::filesystem::path& file);

/// The way of one file: decode, find, track, score, judge. Runs in the calling thread; the decoder and the
/// network work beside it. See Analyzer::Analyze for the promises. Fills all of the report but `software`.
Result<Report> RunPipeline(const Stages& stages, OpenedMedia media, const std::string& name,
                           const AnalysisOptions& options, ProgressSink* progress, std::stop_token stop);

}  // namespace unmask
