// SPDX-License-Identifier: Apache-2.0
#include "analysis/face_scores.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

#include <opencv2/imgproc.hpp>

#include "analysis/joined_heat.hpp"
#include "model/calibration.hpp"

namespace unmask {
namespace {

/// A copy, reduced when it is large: later looks need no more than the network does.
cv::Mat CopyOf(const cv::Mat& crop) {
  const int side = std::max(crop.cols, crop.rows);
  if (side <= FaceScores::kCropSide) return crop.clone();
  const double factor = static_cast<double>(FaceScores::kCropSide) / side;
  cv::Mat copy;
  cv::resize(crop, copy, {}, factor, factor, cv::INTER_AREA);
  return copy;
}

/// Of the networks that draw one, each with its weight in the ensemble.
std::shared_ptr<const HeatMap> HeatOf(FaceScore& score, const Scorer& scorer,
                                      std::span<const FaceScores::View> views) {
  std::vector<WeightedHeat> maps;
  const auto& ensemble = scorer.card().ensemble;
  for (std::size_t i = 0; i < score.members.size(); ++i) {
    if (score.members[i].mask.empty()) continue;
    const MaskOutput& grid = scorer.member(i).mask;
    const FaceScores::View& view = views[scorer.view_of(i)];
    HeatMap map{grid.width, grid.height, std::move(score.members[i].mask), view.region};
    TurnHeatMap(map, view.roll);
    maps.push_back({.map = std::move(map), .weight = ensemble ? ensemble->combination.weights[i] : 1});
  }
  return JoinHeatMaps(std::move(maps));
}

std::vector<MemberScore> MembersOf(const FaceScore& score, const OperatingPoints& points) {
  std::vector<MemberScore> members;
  for (std::size_t i = 0; i < points.members.size(); ++i) {
    const auto logit = static_cast<double>(score.members[i].logit);
    members.push_back({.score = CalibratedScore(logit, points.members[i].face.calibration), .logit = logit});
  }
  return members;
}

}  // namespace

Result<void> FaceScores::Add(FaceReport face, std::span<const View> views, Pictures pictures) {
  Queued queued{.face = std::move(face), .crops = {}, .seen = {}, .pictures = std::move(pictures)};
  std::vector<cv::Mat> crops;
  for (const View& view : views) {
    crops.push_back(view.crop);
    if (keep_crops_) queued.crops.push_back(CopyOf(view.crop));
    queued.seen.push_back({.crop = {}, .region = view.region, .roll = view.roll});
  }
  open_.prepared.push_back(scorer_.Prepare(crops));
  open_.faces.push_back(std::move(queued));
  if (open_.faces.size() < batch_) return {};
  Launch();
  return pending_.size() > std::max<std::size_t>(2, kInFlight / batch_) ? Collect() : Result<void>{};
}

void FaceScores::Launch() {
  open_.scores = scorer_.Start(open_.prepared, stop_);
  open_.prepared.clear();
  pending_.push_back(std::move(open_));
  open_ = {};
}

Result<void> FaceScores::Collect() {
  Batch batch = std::move(pending_.front());
  pending_.pop_front();
  const auto before = std::chrono::steady_clock::now();
  auto scores = batch.scores.get();
  waited_ms_ += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count();
  if (!scores) return tl::unexpected(scores.error());
  for (std::size_t i = 0; i < batch.faces.size(); ++i) {
    auto& [face, crops, seen, pictures] = batch.faces[i];
    FaceScore& score = (*scores)[i];
    face.logit = static_cast<double>(score.logit);
    face.score = scorer_.Calibrate(*face.logit);
    face.members = MembersOf(score, points_);
    pictures.heat = HeatOf(score, scorer_, seen);
    KeepBest(face, std::move(pictures));
    if (keep_crops_) KeepCrops(face, std::move(crops));
    done_.push_back(std::move(face));
  }
  return {};
}

void FaceScores::KeepBest(const FaceReport& face, Pictures pictures) {
  const auto [at, added] = best_.try_emplace(face.track);
  Best& best = at->second;
  if (!added && std::tuple(face.used, *face.logit) <= std::tuple(best.used, best.logit)) return;
  best.used = face.used;
  best.logit = *face.logit;
  best.pictures = std::move(pictures);
  Bound(
      kPictures, [](const Best& b) { return b.pictures.face != nullptr; }, [](Best& b) { b.pictures = {}; });
}

void FaceScores::KeepCrops(const FaceReport& face, std::vector<cv::Mat> crops) {
  Best& best = best_.at(face.track);
  const auto before = [](const Telling& a, const Telling& b) {
    return std::tuple(a.used, a.logit) > std::tuple(b.used, b.logit);
  };
  Telling telling{.used = face.used, .logit = *face.logit, .crops = std::move(crops)};
  best.crops.insert(std::upper_bound(best.crops.begin(), best.crops.end(), telling, before),
                    std::move(telling));
  if (best.crops.size() > kTelling) best.crops.pop_back();
  Bound(
      kCrops, [](const Best& b) { return !b.crops.empty(); }, [](Best& b) { b.crops = {}; });
}

template <typename Has, typename Drop>
void FaceScores::Bound(std::size_t limit, Has has, Drop drop) {
  std::size_t count = 0;
  Best* least = nullptr;
  for (auto& [track, best] : best_) {
    if (!has(best)) continue;
    ++count;
    if (least == nullptr || std::tuple(best.used, best.logit) < std::tuple(least->used, least->logit))
      least = &best;
  }
  if (count > limit) drop(*least);
}

Result<std::vector<FaceReport>> FaceScores::Finish() {
  if (!open_.faces.empty()) Launch();
  while (!pending_.empty())
    if (auto collected = Collect(); !collected) return tl::unexpected(collected.error());
  return std::move(done_);
}

}  // namespace unmask
