// SPDX-License-Identifier: Apache-2.0
#include "face/ssd.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "face/geometry.hpp"

namespace unmask {
namespace {

constexpr double kMaxLogit = 100;         // score_clipping_thresh of MediaPipe's graphs
constexpr double kWithinEachOther = 0.7;  // a part of a face lies in the whole one by more than this
constexpr std::size_t kBoxNumbers = 4 + 2 * SsdFace::kKeypoints;

double Sigmoid(double logit) { return 1 / (1 + std::exp(-std::clamp(logit, -kMaxLogit, kMaxLogit))); }

bool IsUsable(const SsdFace& face) {
  for (const Point& point : face.keypoints)
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) return false;
  return std::isfinite(face.box.x) && std::isfinite(face.box.y) && std::isfinite(Area(face.box)) &&
         face.box.width > 0 && face.box.height > 0;
}

// A total order, so that equal scores give the same result everywhere.
bool Stronger(const SsdFace& a, const SsdFace& b) {
  return std::tuple(-a.score, a.box.x, a.box.y, a.box.width) <
         std::tuple(-b.score, b.box.x, b.box.y, b.box.width);
}

SsdFace WeightedMean(std::span<const SsdFace> faces) {
  SsdFace mean;
  double total = 1e-30;
  for (const SsdFace& face : faces) {
    total += face.score;
    mean.box.x += face.score * face.box.x;
    mean.box.y += face.score * face.box.y;
    mean.box.width += face.score * face.box.width;
    mean.box.height += face.score * face.box.height;
    for (std::size_t i = 0; i < mean.keypoints.size(); ++i) {
      mean.keypoints[i].x += face.score * face.keypoints[i].x;
      mean.keypoints[i].y += face.score * face.keypoints[i].y;
    }
  }
  mean.box = {mean.box.x / total, mean.box.y / total, mean.box.width / total, mean.box.height / total};
  for (Point& point : mean.keypoints) point = {point.x / total, point.y / total};
  return mean;
}

}  // namespace

std::vector<Point> MakeAnchors(int input_size, std::span<const AnchorLayer> layers) {
  std::vector<Point> anchors;
  for (const AnchorLayer& layer : layers) {
    const int cells = (input_size + layer.stride - 1) / layer.stride;
    for (int row = 0; row < cells; ++row)
      for (int column = 0; column < cells; ++column)
        anchors.insert(anchors.end(), static_cast<std::size_t>(layer.per_cell),
                       Point{(column + 0.5) * layer.stride, (row + 0.5) * layer.stride});
  }
  return anchors;
}

std::vector<SsdFace> DecodeFaces(std::span<const Point> anchors, std::span<const float> boxes,
                                 std::span<const float> logits, double min_score) {
  std::vector<SsdFace> faces;
  if (boxes.size() != anchors.size() * kBoxNumbers || logits.size() != anchors.size()) return faces;
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const double score = Sigmoid(logits[i]);
    if (!(score >= min_score)) continue;
    const auto raw = boxes.subspan(i * kBoxNumbers, kBoxNumbers);
    const Point& anchor = anchors[i];
    SsdFace face{.score = score};
    face.box = {anchor.x + raw[0] - raw[2] / 2, anchor.y + raw[1] - raw[3] / 2, raw[2], raw[3]};
    for (std::size_t k = 0; k < face.keypoints.size(); ++k)
      face.keypoints[k] = {anchor.x + raw[4 + 2 * k], anchor.y + raw[5 + 2 * k]};
    if (IsUsable(face)) faces.push_back(face);
  }
  return faces;
}

std::vector<SsdFace> SuppressWeighted(std::vector<SsdFace> faces, double iou) {
  std::sort(faces.begin(), faces.end(), Stronger);
  std::vector<SsdFace> kept;
  while (!faces.empty()) {
    const SsdFace strongest = faces.front();
    const auto rest = std::stable_partition(faces.begin() + 1, faces.end(), [&](const SsdFace& face) {
      return Iou(face.box, strongest.box) > iou;
    });
    SsdFace mean = WeightedMean({faces.begin(), rest});
    mean.score = strongest.score;
    mean.detail = strongest.detail;
    mean.cut = strongest.cut;
    kept.push_back(mean);
    faces.erase(faces.begin(), rest);
  }
  return kept;
}

std::vector<SsdFace> MergePasses(std::vector<SsdFace> faces, double iou) {
  std::sort(faces.begin(), faces.end(),
            [](const SsdFace& a, const SsdFace& b) { return a.cut != b.cut ? b.cut : Stronger(a, b); });
  std::vector<SsdFace> kept;
  for (const SsdFace& face : faces) {
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const SsdFace& other) {
      return Iou(face.box, other.box) > iou || Containment(face.box, other.box) > kWithinEachOther;
    });
    if (!known) kept.push_back(face);
  }
  std::sort(kept.begin(), kept.end(), Stronger);
  return kept;
}

}  // namespace unmask
