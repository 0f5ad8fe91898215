// SPDX-License-Identifier: Apache-2.0
#include "evaluation/ensemble/looks.hpp"

#include <cmath>
#include <random>

#include <fmt/format.h>

#include "media/degrade/degrade.hpp"

namespace unmask {
namespace {

using Kind = Degradation::Kind;

/// Draws that are the same on every machine: the standard fixes the engine, not its distributions.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}
  double Between(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  bool Chance(double probability) { return Between(0, 1) < probability; }

 private:
  std::mt19937_64 engine_;
};

/// What a video does to all its frames, in this order.
std::vector<Degradation> DrawVideo(std::uint64_t seed) {
  Draw draw(seed);
  std::vector<Degradation> video;
  if (draw.Chance(0.3)) return video;
  if (draw.Chance(0.3)) video.push_back({Kind::kScale, draw.Between(0.7, 1)});
  if (draw.Chance(0.2)) video.push_back({Kind::kBlur, draw.Between(0.3, 0.8)});
  if (draw.Chance(0.5)) video.push_back({Kind::kJpeg, std::round(draw.Between(60, 95))});
  return video;
}

/// A detector's box differs from frame to frame by a few per cent of its side, and so do light and grain.
Result<cv::Mat> LookAt(const cv::Mat& bgr, std::uint64_t seed) {
  Draw draw(seed);
  const double part = draw.Between(0.92, 1);
  const cv::Size size(std::max(1, static_cast<int>(std::lround(part * bgr.cols))),
                      std::max(1, static_cast<int>(std::lround(part * bgr.rows))));
  const cv::Point at(static_cast<int>(draw.Between(0, bgr.cols - size.width + 1)),
                     static_cast<int>(draw.Between(0, bgr.rows - size.height + 1)));
  cv::Mat frame = bgr(cv::Rect(at, size)).clone();
  if (draw.Chance(0.7)) frame.convertTo(frame, -1, draw.Between(0.94, 1.06), draw.Between(-8, 8));
  if (draw.Chance(0.3)) return Degrade(frame, {Kind::kNoise, draw.Between(1, 4)}, seed);
  return frame;
}

}  // namespace

std::vector<Variant> Looks(int count) {
  std::vector<Variant> looks;
  for (int look = 0; look < count; ++look)
    looks.push_back({.name = fmt::format("look_{}", look + 1),
                     .description = fmt::format("look {} of a simulated track", look + 1),
                     .apply = [look](const cv::Mat& bgr, std::uint64_t seed) -> Result<cv::Mat> {
                       auto frame = LookAt(bgr, seed * 1000 + static_cast<std::uint64_t>(look) + 1);
                       for (const Degradation& step : DrawVideo(seed * 1000)) {
                         if (!frame) break;
                         frame = Degrade(*frame, step);
                       }
                       return frame;
                     }});
  return looks;
}

}  // namespace unmask
