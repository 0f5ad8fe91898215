// SPDX-License-Identifier: Apache-2.0
#include "face/finder.hpp"

#include <algorithm>

#include "face/geometry.hpp"

namespace unmask {
namespace {

constexpr double kSameFaceIou = 0.3;
// A face that overlaps a track by this much will be taken for its next one: Tracker::Options::min_iou.
constexpr double kPresentIou = 0.2;
// Sample times are sums of floating-point steps: an interval counts as over a little early.
constexpr double kTolerance = 1e-3;

bool Overlaps(const std::vector<Face>& faces, const Box& box, double iou) {
  return std::any_of(faces.begin(), faces.end(), [&](const Face& face) { return Iou(face.box, box) > iou; });
}

std::vector<Tracker::Expectation> Missing(const std::vector<Tracker::Expectation>& expected,
                                          const std::vector<Face>& faces) {
  std::vector<Tracker::Expectation> missing;
  for (const auto& track : expected)
    if (!Overlaps(faces, track.box, kPresentIou)) missing.push_back(track);
  return missing;
}

}  // namespace

FaceFinder::FaceFinder(FaceDetector& detector, Options options) : detector_(detector), options_(options) {}

std::vector<Face> FaceFinder::Find(double time, const cv::Mat& bgr, const Tracker& tracker) {
  const auto passed = [&](double interval) {
    return !last_thorough_ || time - *last_thorough_ >= interval - kTolerance;
  };
  const auto look_thoroughly = [&] {
    last_thorough_ = time;
    return detector_.Detect(bgr, Effort::kThorough);
  };

  const bool due = passed(options_.thorough_interval);
  std::vector<Face> faces = due ? look_thoroughly() : detector_.Detect(bgr, Effort::kQuick);

  auto expected = tracker.Expect(time);
  // The track that was seen last is the likeliest to be there still.
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.last_seen > b.last_seen; });
  const auto follow = [&] {
    int followed = 0;
    for (const auto& track : Missing(expected, faces)) {
      if (followed++ >= options_.max_followed) break;
      const auto face = detector_.DetectNear(bgr, track.box);
      if (face && !Overlaps(faces, face->box, kSameFaceIou)) faces.push_back(*face);
    }
  };
  follow();

  // A face that was there a frame ago and is not where it should be: it moved far, or the scene changed.
  const auto missing = Missing(expected, faces);
  const bool lost = std::any_of(missing.begin(), missing.end(), [&](const auto& track) {
    return last_time_ && track.last_seen >= *last_time_;
  });
  if (lost && !due && passed(options_.search_interval)) {
    for (const Face& face : look_thoroughly())
      if (!Overlaps(faces, face.box, kSameFaceIou)) faces.push_back(face);
  }
  last_time_ = time;
  std::stable_sort(faces.begin(), faces.end(),
                   [](const Face& a, const Face& b) { return a.score > b.score; });
  return faces;
}

}  // namespace unmask
