// SPDX-License-Identifier: Apache-2.0
#include "analysis/face_scores.hpp"

#include <chrono>
#include <tuple>

namespace unmask {

Result<void> FaceScores::Add(FaceReport face, const cv::Mat& crop, Pictures pictures) {
  open_.faces.push_back(std::move(face));
  open_.prepared.push_back(scorer_.Prepare(crop));
  open_.pictures.push_back(std::move(pictures));
  if (open_.faces.size() < kBatch) return {};
  Launch();
  return pending_.size() > kPending ? Collect() : Result<void>{};
}

void FaceScores::Launch() {
  open_.logits = scorer_.Start(open_.prepared);
  open_.prepared.clear();
  pending_.push_back(std::move(open_));
  open_ = {};
}

Result<void> FaceScores::Collect() {
  Batch batch = std::move(pending_.front());
  pending_.pop_front();
  const auto before = std::chrono::steady_clock::now();
  auto logits = batch.logits.get();
  waited_ms_ += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before).count();
  if (!logits) return tl::unexpected(logits.error());
  for (std::size_t i = 0; i < batch.faces.size(); ++i) {
    FaceReport& face = batch.faces[i];
    face.logit = static_cast<double>((*logits)[i]);
    face.score = scorer_.Calibrate(*face.logit);
    KeepBest(face, std::move(batch.pictures[i]));
    done_.push_back(std::move(face));
  }
  return {};
}

void FaceScores::KeepBest(const FaceReport& face, Pictures pictures) {
  const auto [at, added] = best_.try_emplace(face.track);
  Best& best = at->second;
  if (!added && std::tuple(face.used, *face.logit) <= std::tuple(best.used, best.logit)) return;
  best = {.used = face.used, .logit = *face.logit, .pictures = std::move(pictures)};
}

Result<std::vector<FaceReport>> FaceScores::Finish() {
  if (!open_.faces.empty()) Launch();
  while (!pending_.empty())
    if (auto collected = Collect(); !collected) return tl::unexpected(collected.error());
  return std::move(done_);
}

}  // namespace unmask
