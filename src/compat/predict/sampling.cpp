// SPDX-License-Identifier: Apache-2.0
#include "compat/predict/sampling.hpp"

#include <algorithm>
#include <cmath>

namespace unmask::compat {
namespace {

constexpr std::int64_t kFallbackFrames = 16;
constexpr double kLongestStep = 9e15;  // exact as a double, and beyond any clip

}  // namespace

double PredictTargetFps(std::optional<double> asked, double fallback) {
  return asked && *asked != 0 ? *asked : fallback;
}

double PredictSourceFps(std::optional<double> fps) {
  return fps && std::isfinite(*fps) && *fps > 0 ? *fps : kPredictAssumedFps;
}

Result<std::int64_t> PredictStep(double source_fps, double target_fps) {
  if (std::isnan(target_fps))
    return Fail(ErrorCode::kBadRequest, "cannot convert float NaN to integer", "give fps as a number");
  const double quotient = source_fps / std::max(target_fps, kPredictLeastFps);
  // nearbyint rounds half to even, as Python's round() does.
  return static_cast<std::int64_t>(std::clamp(std::nearbyint(quotient), 1.0, kLongestStep));
}

std::vector<std::int64_t> PredictFallback(std::int64_t total) {
  std::vector<std::int64_t> indices;
  if (total <= 0) return indices;
  const std::int64_t stride = std::max<std::int64_t>(1, total / std::min(kFallbackFrames, total));
  for (std::int64_t index = 0; index < total; index += stride) indices.push_back(index);
  return indices;
}

}  // namespace unmask::compat
