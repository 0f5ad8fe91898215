// SPDX-License-Identifier: Apache-2.0
#include "analysis/face_scores.hpp"

#include <algorithm>
#include <chrono>
#include <tuple>

#include <opencv2/imgproc.hpp>

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

std::shared_ptr<const HeatMap> ToHeatMap(std::vector<float> mask, const MaskOutput& grid, const Box& region) {
  if (mask.empty()) return nullptr;
  return std::make_shared<HeatMap>(HeatMap{grid.width, grid.height, std::move(mask), region});
}

}  // namespace

Result<void> FaceScores::Add(FaceReport face, const cv::Mat& crop, const Box& region, Pictures pictures) {
  open_.prepared.push_back(scorer_.Prepare(crop));
  open_.faces.push_back(
      {std::move(face), keep_crops_ ? CopyOf(crop) : cv::Mat(), region, std::move(pictures)});
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
    auto& [face, crop, region, pictures] = batch.faces[i];
    FaceScore& score = (*scores)[i];
    face.logit = static_cast<double>(score.logit);
    face.score = scorer_.Calibrate(*face.logit);
    pictures.heat = ToHeatMap(std::move(score.mask), scorer_.card().mask, region);
    KeepBest(face, std::move(pictures));
    if (keep_crops_) KeepCrop(face, crop);
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

void FaceScores::KeepCrop(const FaceReport& face, const cv::Mat& crop) {
  Best& best = best_.at(face.track);
  const auto before = [](const Telling& a, const Telling& b) {
    return std::tuple(a.used, a.logit) > std::tuple(b.used, b.logit);
  };
  const Telling telling{.used = face.used, .logit = *face.logit, .crop = crop};
  best.crops.insert(std::upper_bound(best.crops.begin(), best.crops.end(), telling, before), telling);
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
