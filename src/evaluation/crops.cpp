// SPDX-License-Identifier: Apache-2.0
#include "evaluation/crops.hpp"

#include <algorithm>

#include "analysis/face_scores.hpp"
#include "analysis/judge.hpp"
#include "analysis/stability.hpp"
#include "face/crop.hpp"
#include "face/geometry.hpp"
#include "face/quality.hpp"

namespace unmask {

Box BoxOfCrop(int width, int height, std::optional<double> margin) {
  if (!margin) return {0, 0, static_cast<double>(width), static_cast<double>(height)};
  const double part = 1 / (1 + 2 * *margin);
  return {(1 - part) * width / 2, (1 - part) * height / 2, part * width, part * height};
}

cv::Rect RectOfCrop(int width, int height, std::optional<double> margin, const CropRule& rule) {
  if (!margin) return {0, 0, width, height};
  const cv::Rect wanted = CropRect(BoxOfCrop(width, height, margin), rule);
  const int side = std::min({wanted.width, width, height});
  const int shrunk = (wanted.width - side) / 2;
  return {std::clamp(wanted.x + shrunk, 0, width - side), std::clamp(wanted.y + shrunk, 0, height - side),
          side, side};
}

FaceReport MeasureCrop(const cv::Mat& picture, std::optional<double> margin) {
  const Face face{.box = BoxOfCrop(picture.cols, picture.rows, margin), .score = 1, .landmarks = {}};
  FaceReport report{.track = 1, .box = face.box, .detector_score = 1};
  report.quality = MeasureQuality(picture, face);
  report.used = report.quality.codes.empty();
  return report;
}

Result<Report> AnalyzeCrop(const cv::Mat& picture, const Scorer& scorer, std::optional<double> margin,
                           bool stability) {
  std::vector<FaceScores::View> views;
  for (const CropRule& rule : scorer.views()) {
    const cv::Rect rect = RectOfCrop(picture.cols, picture.rows, margin, rule);
    views.push_back({CropPixels(picture, rect), ToBox(rect)});
  }
  FaceScores scores(scorer, stability);
  if (auto added = scores.Add(MeasureCrop(picture, margin), views, {}); !added)
    return tl::unexpected(added.error());
  auto faces = scores.Finish();
  if (!faces) return tl::unexpected(faces.error());

  Report report;
  report.sampling.frames_analysed = 1;
  report.sampling.faces_found = 1;
  report.faces = std::move(*faces);
  JudgeReport(report, PointsOf(scorer.card()));
  if (stability)
    if (auto checked = CheckStability(report, scores, scorer); !checked)
      return tl::unexpected(checked.error());
  return report;
}

}  // namespace unmask
