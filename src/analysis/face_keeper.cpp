// SPDX-License-Identifier: Apache-2.0
#include "analysis/face_keeper.hpp"

#include <algorithm>
#include <limits>

#include <opencv2/imgproc.hpp>

#include "analysis/better_face.hpp"

namespace unmask {
namespace {

Picture PictureOf(const cv::Mat& crop) {
  cv::Mat reduced = crop;
  if (crop.cols > kKeptSide) cv::resize(crop, reduced, {kKeptSide, kKeptSide}, 0, 0, cv::INTER_AREA);
  Picture picture{.width = reduced.cols, .height = reduced.rows, .bgr = {}};
  picture.bgr.resize(reduced.total() * 3);
  reduced.copyTo(cv::Mat(reduced.size(), CV_8UC3, picture.bgr.data()));
  return picture;
}

KeptFace Keep(const FaceReport& report, const Face& face, const cv::Rect& rect, const cv::Mat& crop) {
  KeptFace kept{.track = report.track,
                .frame = report.frame,
                .time = report.time,
                .box = report.box,
                .detector_score = report.detector_score,
                .quality = report.quality,
                .crop_x = rect.x,
                .crop_y = rect.y,
                .crop_side = rect.width,
                .picture = PictureOf(crop)};
  if (const auto& marks = face.landmarks)
    kept.landmarks = {marks->right_eye.x, marks->right_eye.y, marks->left_eye.x, marks->left_eye.y,
                      marks->nose.x,      marks->nose.y,      marks->mouth.x,    marks->mouth.y};
  return kept;
}

}  // namespace

void FaceKeeper::Add(const FaceReport& report, const Face& face, const cv::Rect& rect, const cv::Mat& crop) {
  if (crop.empty()) return;
  Track& track = tracks_[report.track];
  ++track.seen;
  if (track.stretches.empty() || track.in_last == track.stretch) {
    track.stretches.push_back(Keep(report, face, rect, crop));
    track.in_last = 1;
  } else {
    ++track.in_last;
    if (IsBetter(report.quality, track.stretches.back().quality))
      track.stretches.back() = Keep(report, face, rect, crop);
  }
  if (track.stretches.size() > 2 * per_track_) {
    // The odd one at the end is the beginning of a stretch of the new length.
    std::vector<KeptFace> merged;
    for (std::size_t i = 0; i < track.stretches.size(); i += 2) {
      const bool second = i + 1 < track.stretches.size() &&
                          IsBetter(track.stretches[i + 1].quality, track.stretches[i].quality);
      merged.push_back(std::move(track.stretches[second ? i + 1 : i]));
    }
    track.stretches = std::move(merged);
    track.stretch *= 2;
  }
  Bound();
}

void FaceKeeper::Bound() {
  std::size_t count = 0;
  Track* least = nullptr;
  for (auto& [id, track] : tracks_) {
    if (track.stretches.empty()) continue;
    ++count;
    if (least == nullptr || track.seen <= least->seen) least = &track;  // of equals the latest
  }
  if (count <= kTracks) return;
  least->stretches.clear();
  least->stretch = 1;
  least->in_last = 0;
}

std::vector<KeptFace> FaceKeeper::Take(const std::vector<TrackReport>& tracks) {
  std::vector<const TrackReport*> order;
  for (const TrackReport& track : tracks) order.push_back(&track);
  const double kNone = -std::numeric_limits<double>::infinity();
  std::stable_sort(order.begin(), order.end(), [kNone](const TrackReport* a, const TrackReport* b) {
    return a->logit.value_or(kNone) > b->logit.value_or(kNone);
  });
  std::vector<KeptFace> faces;
  for (const TrackReport* report : order) {
    const auto track = tracks_.find(report->id);
    if (track == tracks_.end() || faces.size() + track->second.stretches.size() > kMost) continue;
    std::move(track->second.stretches.begin(), track->second.stretches.end(), std::back_inserter(faces));
  }
  tracks_.clear();
  return faces;
}

}  // namespace unmask
