// SPDX-License-Identifier: Apache-2.0
#include "render/overlay.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "render/heat.hpp"
#include "render/picture_io.hpp"
#include "render/text.hpp"
#include "render/words.hpp"

namespace unmask {
namespace {

cv::Scalar ColorOf(Verdict verdict) {  // blue, green, red
  switch (verdict) {
    case Verdict::kManipulated:
      return {38, 38, 200};
    case Verdict::kNoManipulationFound:
      return {60, 130, 30};
    case Verdict::kInconclusive:
      return {0, 120, 190};
  }
  return {0, 0, 0};
}

std::string LabelOf(const TrackReport& track) {
  std::string label = fmt::format("{}: {}", track.id, VerdictTitle(track.verdict));
  if (track.score) label += fmt::format(" {:.1f} %", *track.score * 100);
  return label;
}

/// Widths and letters grow with the picture, so that they can be read in every size.
void DrawTrack(cv::Mat& picture, const TrackReport& track) {
  const double unit = std::max(picture.cols, picture.rows) / 1000.0;
  const int line = std::max(2, static_cast<int>(std::lround(3 * unit)));
  const cv::Scalar color = ColorOf(track.verdict);
  const double scale = track.best.whole_scale;
  const Box& box = track.best.box;
  const cv::Rect face(
      cv::Point(cvRound(box.x * scale), cvRound(box.y * scale)),
      cv::Size(std::max(1, cvRound(box.width * scale)), std::max(1, cvRound(box.height * scale))));
  cv::rectangle(picture, face, color, line, cv::LINE_AA);

  const std::string label = LabelOf(track);
  double letters = std::max(0.45, 0.7 * unit);
  int below = 0;
  cv::Size text = cv::getTextSize(label, cv::FONT_HERSHEY_SIMPLEX, letters, std::max(1, line / 2), &below);
  if (text.width > picture.cols - 2 * line) {
    letters *= static_cast<double>(picture.cols - 2 * line) / text.width;
    text = cv::getTextSize(label, cv::FONT_HERSHEY_SIMPLEX, letters, std::max(1, line / 2), &below);
  }
  const int height = text.height + below + 2 * line;
  const int left = std::clamp(face.x - line / 2, 0, std::max(0, picture.cols - text.width - 2 * line));
  int top = face.y - height;
  if (top < 0) top = face.y + face.height;
  top = std::clamp(top, 0, std::max(0, picture.rows - height));
  cv::rectangle(picture, cv::Rect(left, top, text.width + 2 * line, height), color, cv::FILLED);
  cv::putText(picture, label, cv::Point(left + line, top + line + text.height), cv::FONT_HERSHEY_SIMPLEX,
              letters, cv::Scalar(255, 255, 255), std::max(1, line / 2), cv::LINE_AA);
}

cv::Mat ViewOf(Picture& picture) {
  return cv::Mat(picture.height, picture.width, CV_8UC3, picture.bgr.data());
}

/// The part of the media that the picture of the whole frame shows.
Box WholeOf(const BestFace& best) {
  return {0, 0, best.whole->width / best.whole_scale, best.whole->height / best.whole_scale};
}

}  // namespace

std::vector<Overlay> DrawOverlays(const Report& report) {
  std::vector<Overlay> overlays;
  const bool still = report.media.kind == MediaKind::kImage;
  for (const TrackReport& track : report.tracks) {
    if (!track.best.whole || !HasPixels(*track.best.whole)) continue;
    if (!still || overlays.empty())
      overlays.push_back({still ? ".faces.jpg" : fmt::format(".track{}.jpg", track.id), *track.best.whole});
    if (ShowsHeat(track)) TintWithHeat(overlays.back().picture, WholeOf(track.best), *track.best.heat);
  }
  // Boxes and words last, so that no heat lies on them.
  auto overlay = overlays.begin();
  for (const TrackReport& track : report.tracks) {
    if (!track.best.whole || !HasPixels(*track.best.whole)) continue;
    cv::Mat view = ViewOf(overlay->picture);
    DrawTrack(view, track);
    if (!still) ++overlay;
  }
  return overlays;
}

std::string SafeFileName(std::string_view name) {
  constexpr std::size_t kMaxBytes = 120;
  while (!name.empty() && name.back() == '/') name.remove_suffix(1);
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);

  // Escapes hold only ASCII, and what they are made of is replaced below.
  std::string safe = EscapeForTerminal(name);
  for (char& c : safe) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter =
        byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && c != '.' && c != '-' && c != '_') c = '_';
  }
  if (safe.empty() || safe == "." || safe == "..") safe = "media";
  if (safe.front() == '.' || safe.front() == '-') safe.front() = '_';
  if (safe.size() > kMaxBytes) {
    std::size_t end = kMaxBytes;
    while (end > 0 && (static_cast<unsigned char>(safe[end]) & 0xC0) == 0x80) --end;
    safe.resize(end);
  }
  return safe;
}

}  // namespace unmask
