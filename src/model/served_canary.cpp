// SPDX-License-Identifier: Apache-2.0
// The part of a served model that changes labels, and takes a canary back by what its analyses were like.
#include <spdlog/spdlog.h>

#include "model/served_state.hpp"

namespace unmask {

Result<Rollout> ServedModel::Change(std::string_view actor, std::string_view action, std::string_view reason,
                                    const std::function<Result<Rollout>(const Rollout&)>& change) {
  auto changed = files_.Change(actor, action, reason, change);
  if (!changed) return changed;
  spdlog::info("{} by {}: {}", action, actor, RolloutText(*changed));
  {
    const std::lock_guard lock(state_->mutex);
    state_->rollout = *changed;
    state_->Choose();
  }
  LookNow();
  return changed;
}

void ServedModel::Record(int version, const std::string& label, const Judgement& judgement) {
  Told told{.version = version, .label = label, .judgement = judgement};
  std::optional<std::string> complaint;
  {
    const std::lock_guard lock(state_->mutex);
    const int canary = state_->CanaryInUse();
    CanaryWatch& watch = state_->Canaries(options_.canary);
    if (canary != 0 && version == canary) {
      watch.AddCanary(judgement);
      complaint = watch.Complaint();
    } else if (version == state_->serving) {
      watch.AddStable(judgement);
    }
    if (canary != 0) told.shift = watch.Shift();
  }
  told.rolled_back = complaint && TakeBack(*complaint);
  Tell(told);
}

void ServedModel::RecordShadow(int version, const Judgement& judgement, const Judgement& stable,
                               bool agrees) {
  Told told{.version = version, .label = "shadow", .judgement = judgement};
  if (!judgement.failed) told.agrees = agrees;
  std::optional<std::string> complaint;
  {
    const std::lock_guard lock(state_->mutex);
    if (version == state_->CanaryInUse()) {
      CanaryWatch& watch = state_->Canaries(options_.canary);
      watch.AddCanary(judgement);
      if (judgement.score && stable.score) watch.AddPair(*stable.score, *judgement.score);
      complaint = watch.Complaint();
      told.shift = watch.Shift();
    }
  }
  told.rolled_back = complaint && TakeBack(*complaint);
  Tell(told);
}

void ServedModel::Observe(Observer observer) {
  const std::lock_guard lock(observing_);
  observer_ = std::move(observer);
}

void ServedModel::Tell(const Told& told) {
  const std::lock_guard lock(observing_);
  if (observer_) observer_(told);
}

/// True when this call took it back, not one beside it.
bool ServedModel::TakeBack(const std::string& complaint) {
  if (!options_.canary.automatic) return false;
  Rollout judged;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->CanaryInUse() == 0) return false;
    judged = state_->rollout;
    state_->refused = judged;  // from this moment on, whatever the disk says
  }
  spdlog::error("{}:{} is taken back: {}", options_.name, *judged.canary, complaint);
  const auto changed = Change("automatic", "rollback", complaint, [&](const Rollout& now) -> Result<Rollout> {
    if (now.canary != judged.canary) return Fail(ErrorCode::kConflict, "another canary came meanwhile");
    return Rollback(now);
  });
  if (!changed)
    spdlog::error("the labels could not be changed, so it is taken back in this server alone: {}",
                  changed.error().message);
  return true;
}

}  // namespace unmask
