// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/sampler.hpp"

#include <cmath>

namespace unmask::decoder {
namespace {

// Matroska rounds times to milliseconds, so a frame may seem to lie up to half of one before its sample time.
constexpr double kTolerance = 0.0005;

}  // namespace

double SpreadFps(double fps, std::int64_t max_frames, std::optional<double> duration) {
  if (!duration || *duration <= 0) return fps;
  return std::min(fps, static_cast<double>(max_frames) / *duration);
}

bool Sampler::Take(double time) {
  if (Full() || time < next_ - kTolerance) return false;
  ++taken_;
  next_ = (std::floor((time + kTolerance) * fps_ + 1e-9) + 1) / fps_;
  return true;
}

}  // namespace unmask::decoder
