// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>

#include "unmask/analyzer.hpp"

namespace unmask {

Result<void> Validate(const AnalysisOptions& options) {
  if (!std::isfinite(options.fps) || options.fps < 0.01 || options.fps > 60)
    return Fail(ErrorCode::kBadRequest, fmt::format("fps is {} (expected 0.01 to 60)", options.fps));
  if (options.max_frames < 1 || options.max_frames > 4096)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("max_frames is {} (expected 1 to 4096)", options.max_frames));
  if (options.max_face_frames < 0)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("max_face_frames is {} (expected 0 or more)", options.max_face_frames));
  if (options.keep_faces < 0 || options.keep_faces > 64)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("keep_faces is {} (expected 0 to 64)", options.keep_faces));
  if ((options.mode == SampleMode::kPicked) != (options.pick != nullptr))
    return Fail(ErrorCode::kBadRequest, "frames are picked by a function, in the mode for that and no other");
  return {};
}

}  // namespace unmask
