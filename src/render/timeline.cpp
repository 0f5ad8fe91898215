// SPDX-License-Identifier: Apache-2.0
#include "render/timeline.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "render/text.hpp"
#include "render/words.hpp"

namespace unmask {
namespace {

constexpr double kHeight = 64;  // of the chart, pixels
constexpr double kAxis = 16;    // below it

/// Up to ten steps of a round length.
double StepOf(double duration) {
  constexpr std::array kSteps = {0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0};
  for (const double step : kSteps)
    if (duration / step <= 10) return step;
  return duration / 10;
}

}  // namespace

std::string TimelineSvg(const Report& report, const TrackReport& track) {
  double duration = std::max(report.media.duration.value_or(0), track.end);
  if (!(duration > 0)) duration = 1;
  // Across in percent, so that the chart fits any width without distorted letters; down in pixels.
  const auto x = [&](double time) { return std::clamp(time / duration, 0.0, 1.0) * 100; };
  const auto y = [&](double score) { return (1 - std::clamp(score, 0.0, 1.0)) * kHeight; };
  const auto width = [&](double start, double end) { return std::max(0.4, x(end) - x(start)); };

  std::string svg = fmt::format(
      "<svg height=\"{}\" role=\"img\" aria-label=\"Scores of face {} over time\">"
      "<rect class=\"presence\" x=\"{:.2f}%\" y=\"0\" width=\"{:.2f}%\" height=\"{}\"/>",
      kHeight + kAxis, track.id, x(track.start), width(track.start, track.end), kHeight);
  for (const Segment& segment : track.segments)
    svg += fmt::format(
        "<rect class=\"segment\" x=\"{:.2f}%\" y=\"0\" width=\"{:.2f}%\" height=\"{}\"><title>{} – {}: peak "
        "{} at "
        "{}</title></rect>",
        x(segment.start), width(segment.start, segment.end), kHeight, FormatSeconds(segment.start),
        FormatSeconds(segment.end), FormatScore(segment.peak_score), FormatSeconds(segment.peak_time));
  for (const double threshold : {report.thresholds.manipulated, report.thresholds.clear})
    svg += fmt::format("<line class=\"threshold\" x1=\"0\" x2=\"100%\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/>",
                       y(threshold));
  svg += fmt::format("<line class=\"best\" x1=\"{0:.2f}%\" x2=\"{0:.2f}%\" y1=\"0\" y2=\"{1}\"/>",
                     x(track.best.time), kHeight);
  for (const FaceReport& face : report.faces) {
    if (face.track != track.id || !face.score) continue;
    svg += fmt::format(
        "<circle class=\"dot{}{}\" cx=\"{:.2f}%\" cy=\"{:.1f}\" r=\"2.5\"><title>{}: {}</title></circle>",
        *face.score >= report.thresholds.manipulated ? " high" : "", face.used ? "" : " unused", x(face.time),
        y(*face.score), FormatSeconds(face.time), FormatScore(face.score));
  }
  const double step = StepOf(duration);
  for (double time = 0; time <= duration * 0.97; time += step)
    svg += fmt::format("<text x=\"{:.2f}%\" y=\"{}\">{}</text>", x(time), kHeight + kAxis - 3,
                       FormatSeconds(time));
  return svg + "</svg>\n";
}

}  // namespace unmask
