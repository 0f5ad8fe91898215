// SPDX-License-Identifier: Apache-2.0
#include "evaluation/ensemble/face_fit.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "analysis/judge.hpp"
#include "base/hash.hpp"
#include "evaluation/ensemble/logistic.hpp"
#include "evaluation/metrics/ranking.hpp"
#include "model/calibration.hpp"
#include "model/ensemble.hpp"

namespace unmask {
namespace {

/// So many digits are written into the card: what is measured is what is shipped.
double Rounded(double value) { return std::round(value * 1e6) / 1e6; }

Result<void> CheckClasses(std::size_t manipulated, std::size_t all) {
  if (manipulated > 0 && manipulated < all) return {};
  return Fail(ErrorCode::kBadRequest,
              fmt::format("a fit needs manipulated and authentic faces, found {} and {}", manipulated,
                          all - manipulated),
              "see the labels with `unmask evaluate` on the same files");
}

/// The highest score below which at most `share` of the fakes lie, halfway to the next lower one.
double ThresholdAtMiss(std::vector<double> fakes, double share) {
  std::sort(fakes.begin(), fakes.end());
  const auto below = static_cast<std::size_t>(share * static_cast<double>(fakes.size()));
  return below == 0 ? fakes.front() : (fakes[below - 1] + fakes[below]) / 2;
}

double ShareOf(std::span<const LabelledScore> scores, bool manipulated, double threshold) {
  double all = 0;
  double reached = 0;
  for (const LabelledScore& score : scores) {
    if (score.manipulated != manipulated) continue;
    ++all;
    reached += score.score >= threshold ? 1 : 0;
  }
  return reached / all;
}

void FitThresholds(std::span<const LabelledScore> scores, FaceFit& fit) {
  std::vector<double> fakes;
  for (const LabelledScore& score : scores)
    if (score.manipulated) fakes.push_back(score.score);
  Thresholds& at = fit.thresholds;
  at.manipulated =
      std::clamp(Rounded(ThresholdAtFpr(Ranking(scores), kFprAtManipulated).value_or(1)), 0.0, 1.0);
  at.fpr_at_manipulated = kFprAtManipulated;
  at.clear = std::min(Rounded(ThresholdAtMiss(std::move(fakes), kMissAtClear)), at.manipulated);
  at.fpr_at_clear = ShareOf(scores, false, at.clear);
  fit.miss_at_clear = 1 - ShareOf(scores, true, at.clear);
}

Combination FitWeights(std::span<const MemberLogits> faces) {
  std::vector<LogisticSample> samples;
  for (const MemberLogits& face : faces)
    samples.push_back({.manipulated = face.manipulated, .features = face.logits});
  LogisticFit fit = FitLogistic(samples, true);
  for (double& weight : fit.weights) weight = Rounded(weight);
  return {.fitted = true, .weights = std::move(fit.weights), .bias = Rounded(fit.bias)};
}

/// The fold of each face: clusters in the order of their names' hashes, dealt one after another.
std::vector<int> FoldsOf(std::span<const MemberLogits> faces) {
  std::map<std::string, std::string> hash_of;
  const auto name_of = [&](std::size_t i) {
    // A byte that no name begins with keeps faces without a cluster apart from those with one.
    return faces[i].cluster.empty() ? "\x01" + std::to_string(i) : faces[i].cluster;
  };
  for (std::size_t i = 0; i < faces.size(); ++i) {
    auto [at, added] = hash_of.try_emplace(name_of(i));
    if (!added) continue;
    Sha256 hash;
    hash.Update(at->first);
    at->second = hash.Finish();
  }
  std::map<std::string, int> fold_of_hash;
  for (const auto& [name, hash] : hash_of) fold_of_hash[hash] = 0;
  int next = 0;
  for (auto& [hash, fold] : fold_of_hash) fold = next++ % kFolds;
  std::vector<int> folds;
  for (std::size_t i = 0; i < faces.size(); ++i) folds.push_back(fold_of_hash.at(hash_of.at(name_of(i))));
  return folds;
}

}  // namespace

Result<FaceFit> FitPoint(std::span<const LabelledLogit> faces) {
  const auto manipulated = static_cast<std::size_t>(
      std::count_if(faces.begin(), faces.end(), [](const auto& face) { return face.manipulated; }));
  if (auto checked = CheckClasses(manipulated, faces.size()); !checked)
    return tl::unexpected(checked.error());
  std::vector<LogisticSample> samples;
  for (const LabelledLogit& face : faces)
    samples.push_back({.manipulated = face.manipulated, .features = {face.logit}});
  FaceFit fit;
  fit.calibration = FitPlatt(samples);
  fit.calibration.slope = Rounded(fit.calibration.slope);
  fit.calibration.intercept = Rounded(fit.calibration.intercept);
  if (!(fit.calibration.slope > 0))
    return Fail(ErrorCode::kBadRequest, "on these files a higher logit is no sign of manipulation",
                "are the labels the wrong way round, or is this nothing that the models can see?");
  std::vector<LabelledScore> scores;
  for (const LabelledLogit& face : faces)
    scores.push_back({face.manipulated, CalibratedScore(face.logit, fit.calibration)});
  FitThresholds(scores, fit);
  return fit;
}

Result<FaceFit> FitFaces(std::span<const MemberLogits> faces, const std::optional<Combination>& fixed) {
  const auto manipulated = static_cast<std::size_t>(
      std::count_if(faces.begin(), faces.end(), [](const auto& face) { return face.manipulated; }));
  if (auto checked = CheckClasses(manipulated, faces.size()); !checked)
    return tl::unexpected(checked.error());
  const Combination combination = fixed ? *fixed : FitWeights(faces);
  if (std::all_of(combination.weights.begin(), combination.weights.end(), [](double w) { return w == 0; }))
    return Fail(ErrorCode::kBadRequest, "on these files no member's logit is a sign of manipulation",
                "are the labels the wrong way round, or is this nothing that the models can see?");
  std::vector<LabelledLogit> logits;
  for (const MemberLogits& face : faces)
    logits.push_back({face.manipulated, Combine(combination, face.logits)});
  auto fit = FitPoint(logits);
  if (fit) fit->combination = combination;
  return fit;
}

Result<std::vector<SampleOutcome>> CrossFit(std::span<const MemberLogits> faces,
                                            const std::optional<Combination>& fixed) {
  const std::vector<int> folds = FoldsOf(faces);
  std::vector<SampleOutcome> outcomes(faces.size());
  for (int fold = 0; fold < kFolds; ++fold) {
    std::vector<MemberLogits> seen;
    for (std::size_t i = 0; i < faces.size(); ++i)
      if (folds[i] != fold) seen.push_back(faces[i]);
    const auto fit = FitFaces(seen, fixed);
    if (!fit) return tl::unexpected(fit.error());
    for (std::size_t i = 0; i < faces.size(); ++i) {
      if (folds[i] != fold) continue;
      SampleOutcome& outcome = outcomes[i];
      outcome.logit = Combine(fit->combination, faces[i].logits);
      outcome.score = CalibratedScore(*outcome.logit, fit->calibration);
      outcome.thresholds = fit->thresholds;
      outcome.verdict = JudgeScore(*outcome.score, 1, fit->thresholds).verdict;
    }
  }
  return outcomes;
}

}  // namespace unmask
