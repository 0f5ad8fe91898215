// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/sampler.hpp"

#include <algorithm>
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

bool Picker::Take(std::int64_t index) {
  offered_ = std::max(offered_, index);
  if (left_ <= 0 || !Wants(index)) return false;
  --left_;
  return true;
}

bool Picker::Wants(std::int64_t index) const {
  if (pick_.step > 0) return index % pick_.step == 0;
  return std::binary_search(pick_.indices.begin(), pick_.indices.end(), index);
}

std::optional<std::int64_t> Picker::next() const {
  if (left_ <= 0) return {};
  if (pick_.step > 0) return offered_ < 0 ? 0 : (offered_ / pick_.step + 1) * pick_.step;
  const auto above = std::upper_bound(pick_.indices.begin(), pick_.indices.end(), offered_);
  return above == pick_.indices.end() ? std::nullopt : std::optional(*above);
}

}  // namespace unmask::decoder
