// SPDX-License-Identifier: Apache-2.0
#include "face/finder.hpp"

#include <algorithm>

#include "face/detector_support.hpp"
#include "face/geometry.hpp"

namespace unmask {
namespace {

constexpr double kSameFaceIou = 0.3;
// A face that overlaps a track by this much will be taken for its next one: Tracker::Options::min_iou.
constexpr double kPresentIou = 0.2;
// Sample times are sums of floating-point steps: an interval counts as over a little early.
constexpr double kTolerance = 1e-3;
// Looking near each of so many faces costs no more than looking at the whole frame and then near them.
constexpr std::size_t kFewFaces = 2;
// Of the frame's longer side. A face of this size or more is seen well enough in the whole frame (kSureDetail
// of blazeface.cpp is an eighth of its input).
constexpr double kSmallFace = 1.0 / 8;

bool Overlaps(const std::vector<Face>& faces, const Box& box, double iou) {
  return std::any_of(faces.begin(), faces.end(), [&](const Face& face) { return Iou(face.box, box) > iou; });
}

/// The tracks that had a face at `since` or later.
std::vector<Tracker::Expectation> SeenSince(std::vector<Tracker::Expectation> tracks, double since) {
  std::erase_if(tracks, [&](const auto& track) { return track.last_seen < since; });
  return tracks;
}

std::vector<Tracker::Expectation> Missing(const std::vector<Tracker::Expectation>& tracks,
                                          const std::vector<Face>& faces) {
  std::vector<Tracker::Expectation> missing;
  for (const auto& track : tracks)
    if (!Overlaps(faces, track.box, kPresentIou)) missing.push_back(track);
  return missing;
}

}  // namespace

FaceFinder::FaceFinder(FaceDetector& detector, Options options)
    : detector_(detector), options_(options), interval_(options.thorough_interval) {}

std::vector<Face> FaceFinder::Find(double time, const cv::Mat& bgr, const Tracker& tracker) {
  const auto tracks = tracker.Expect(time);
  const auto current = SeenSince(tracks, last_time_);
  const auto recent = SeenSince(tracks, time_before_last_);
  time_before_last_ = last_time_;
  last_time_ = time;

  std::vector<Face> faces;
  if (Passed(interval_, time)) {
    const bool first = last_thorough_ < 0;
    faces = LookThoroughly(time, bgr);
    // What was found before is found again anyway: only a new face shows that the look was worth it.
    const bool worth_it = std::any_of(faces.begin(), faces.end(), [&](const Face& face) {
      return std::none_of(tracks.begin(), tracks.end(),
                          [&](const auto& track) { return Iou(track.box, face.box) > kPresentIou; });
    });
    interval_ =
        first || worth_it ? options_.thorough_interval : std::min(2 * interval_, options_.longest_interval);
  } else if (auto followed = OnlyFollowed(time, bgr, current)) {
    return std::move(*followed);
  } else {
    last_whole_ = time;
    faces = detector_.Detect(bgr, Effort::kQuick);
  }

  // As many faces as there were, elsewhere: the scene changed, and nobody has to be looked for.
  if (faces.size() < recent.size()) Follow(bgr, Missing(recent, faces), faces);

  // A search may have to wait; by then the faces may be back.
  wanted_ = std::max(wanted_, current.size());
  if (faces.size() >= wanted_) wanted_ = 0;
  if (wanted_ > 0 && Passed(options_.search_interval, time)) {
    for (const Face& face : LookThoroughly(time, bgr))
      if (!Overlaps(faces, face.box, kSameFaceIou)) faces.push_back(face);
    interval_ = options_.thorough_interval;
  }
  SortByScore(faces);
  return faces;
}

bool FaceFinder::Passed(double interval, double time) const {
  return time - last_thorough_ >= interval - kTolerance;
}

std::optional<std::vector<Face>> FaceFinder::OnlyFollowed(double time, const cv::Mat& bgr,
                                                          const std::vector<Tracker::Expectation>& current) {
  if (time - last_whole_ >= options_.whole_interval - kTolerance) return std::nullopt;
  if (wanted_ > 0 || current.empty() || current.size() > kFewFaces) return std::nullopt;
  const double limit = kSmallFace * std::max(bgr.cols, bgr.rows);
  std::vector<Face> faces;
  for (const auto& track : current) {
    if (std::max(track.box.width, track.box.height) >= limit) return std::nullopt;
    const auto face = detector_.DetectNear(bgr, track.box);
    if (!face || Iou(face->box, track.box) < kPresentIou || Overlaps(faces, face->box, kSameFaceIou))
      return std::nullopt;
    faces.push_back(*face);
  }
  SortByScore(faces);
  return faces;
}

std::vector<Face> FaceFinder::LookThoroughly(double time, const cv::Mat& bgr) {
  last_thorough_ = last_whole_ = time;
  wanted_ = 0;
  return detector_.Detect(bgr, Effort::kThorough);
}

void FaceFinder::Follow(const cv::Mat& bgr, std::vector<Tracker::Expectation> missing,
                        std::vector<Face>& faces) {
  // The track that was seen last is the likeliest to be there still.
  std::stable_sort(missing.begin(), missing.end(),
                   [](const auto& a, const auto& b) { return a.last_seen > b.last_seen; });
  if (missing.size() > static_cast<std::size_t>(options_.max_followed))
    missing.resize(static_cast<std::size_t>(options_.max_followed));
  for (const auto& track : missing) {
    const auto face = detector_.DetectNear(bgr, track.box);
    if (face && !Overlaps(faces, face->box, kSameFaceIou)) faces.push_back(*face);
  }
}

}  // namespace unmask
