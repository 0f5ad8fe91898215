// SPDX-License-Identifier: Apache-2.0
#include "model/served_model.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <stdexcept>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace unmask {

struct ServedModel::Version {
  VersionState state = VersionState::kEnd;
  std::string signature;  // of the folder when it was last loaded
  std::optional<Error> error;
  std::shared_ptr<const Scorer> scorer;                   // with kAvailable and kUnloading
  std::shared_ptr<const Result<NetworkTensors>> tensors;  // likewise
  std::optional<GoldenResult> golden;
  int in_flight = 0;
};

struct ServedModel::State {
  mutable std::mutex mutex;  // guards all below
  std::condition_variable_any wake;
  std::condition_variable changed;  // after each change of the status
  bool look = false;
  std::map<int, Version> versions;
  std::set<int> wanted;
  Rollout rollout;
  std::string damaged;             // why rollout.json cannot be read; the last labels stay in force
  std::optional<Rollout> refused;  // labels whose canary was taken back here alone
  std::pair<int, int> compared;    // stable and canary that `canaries` is about
  std::optional<CanaryWatch> canaries;
  int serving = 0;
  std::map<int, std::vector<std::unique_ptr<const ModelCard>>> cards;  // of every load, the newest last

  static std::shared_ptr<const Scorer> Use(const std::shared_ptr<State>& state, int version);

  void Step(int version, VersionEvent event) {
    Version& entry = versions[version];
    const auto next = After(entry.state, event);
    if (!next)
      throw std::logic_error(fmt::format("version {} is {}: it cannot take event {}", version,
                                         VersionStateName(entry.state), static_cast<int>(event)));
    entry.state = *next;
    changed.notify_all();
  }

  std::set<int> Available() const {
    std::set<int> available;
    for (const auto& [version, entry] : versions)
      if (entry.state == VersionState::kAvailable) available.insert(version);
    return available;
  }

  std::vector<VersionStatus> Status() const {
    std::vector<VersionStatus> all;
    for (const auto& [version, entry] : versions)
      all.push_back({.version = version,
                     .state = entry.state,
                     .error = entry.error,
                     .sha256 = entry.scorer ? entry.scorer->card().sha256 : "",
                     .label = LabelOf(rollout, version),
                     .serving = version == serving,
                     .in_flight = entry.in_flight,
                     .golden = entry.golden});
    return all;
  }

  /// The canary when it can be asked; 0 otherwise: stable then answers its files, too.
  int CanaryInUse() const {
    const int canary = rollout.canary.value_or(0);
    const auto found = versions.find(canary);
    const bool available = found != versions.end() && found->second.state == VersionState::kAvailable;
    return available && canary != serving && rollout != refused ? canary : 0;
  }

  /// The comparison of the versions in use, begun anew when they have changed.
  CanaryWatch& Canaries(const CanaryLimits& limits) {
    const std::pair<int, int> now(serving, rollout.canary.value_or(0));
    if (!canaries || compared != now) canaries.emplace(limits);
    compared = now;
    return *canaries;
  }

  /// Who serves may change after each load and each change of the labels.
  void Choose() {
    const int chosen = ChooseServing(rollout.stable, serving, Available(), wanted);
    if (chosen == serving) return;
    spdlog::info("version {} serves now{}", chosen,
                 serving == 0 ? "" : fmt::format(" instead of {}", serving));
    serving = chosen;
    changed.notify_all();
  }
};

namespace {

std::chrono::duration<double> Seconds(double seconds) { return std::chrono::duration<double>(seconds); }

}  // namespace

ServedModel::ServedModel(Options options, Load later)
    : options_(std::move(options)),
      repository_(options_.root),
      files_(options_.root / options_.name),
      later_(std::move(later)),
      state_(std::make_shared<State>()) {}

Result<std::unique_ptr<ServedModel>> ServedModel::Create(Options options, const Load& first, Load later) {
  std::unique_ptr<ServedModel> model(new ServedModel(std::move(options), std::move(later)));
  if (auto begun = model->Begin(first); !begun) return tl::unexpected(begun.error());
  model->thread_ = std::jthread([served = model.get()](const std::stop_token& stop) { served->Watch(stop); });
  return model;
}

ServedModel::~ServedModel() = default;

Result<void> ServedModel::Begin(const Load& first) {
  const auto present = repository_.Versions(options_.name);
  if (!present) return tl::unexpected(present.error());
  auto rollout = files_.Read();
  if (!rollout) return tl::unexpected(rollout.error());
  std::vector<int> candidates;
  for (const auto& folder : *present) candidates.insert(candidates.begin(), folder.version);
  if (rollout->stable) candidates = {*rollout->stable};
  {
    const std::lock_guard lock(state_->mutex);
    state_->rollout = *rollout;
    state_->wanted.insert(candidates.begin(), candidates.end());
    for (const auto& folder : *present) state_->versions[folder.version].signature = folder.signature;
  }
  std::optional<Error> why;
  for (const int version : candidates) {
    {
      const std::lock_guard lock(state_->mutex);
      state_->Step(version, VersionEvent::kWant);
    }
    LoadVersion(version, first, {});
    const std::lock_guard lock(state_->mutex);
    if (state_->serving != 0) return {};
    const Version& entry = state_->versions[version];
    if (!why && entry.error) why = entry.error;
  }
  if (!why)
    return Fail(ErrorCode::kNotFound, fmt::format("model '{}' has no version", options_.name),
                "put one into the repository, model.json last");
  if (rollout->stable)
    why->hint = fmt::format("it is labelled stable; go back with `unmask model rollback {}`, or: {}",
                            options_.name, why->hint);
  return tl::unexpected(*why);
}

void ServedModel::LoadVersion(int version, const Load& load, const std::stop_token& stop) {
  std::string known_failure;
  {
    const std::lock_guard lock(state_->mutex);
    state_->Step(version, VersionEvent::kLoad);
    auto& error = state_->versions[version].error;
    if (error) known_failure = error->message;
    error.reset();
  }
  const auto try_load = [&]() -> Result<Loaded> {
    auto card = repository_.Card(options_.name, version);
    if (!card) return tl::unexpected(card.error());
    return load(*card, stop);
  };
  Result<Loaded> loaded = Fail(ErrorCode::kInternal, "loading ended in an unknown fault");
  try {
    loaded = try_load();
  } catch (const std::exception& e) {
    loaded = Fail(ErrorCode::kInternal, fmt::format("loading ended in a fault: {}", e.what()));
  }
  if (!loaded && stop.stop_requested()) {  // says nothing of the version
    const std::lock_guard lock(state_->mutex);
    state_->Step(version, VersionEvent::kFail);
    return;
  }
  if (!loaded) {
    spdlog::warn("{}:{} is not available: {}", options_.name, version, loaded.error().message);
    // In the log first: who sees the state finds the reason there.
    if (loaded.error().message != known_failure)
      if (const auto recorded = files_.RecordFailure(version, loaded.error().message); !recorded)
        spdlog::debug("{}", recorded.error().message);
    const std::lock_guard lock(state_->mutex);
    state_->versions[version].error = loaded.error();
    state_->Step(version, VersionEvent::kFail);
    return;
  }
  const std::lock_guard lock(state_->mutex);
  Version& entry = state_->versions[version];
  entry.golden = loaded->golden;
  entry.tensors = std::make_shared<const Result<NetworkTensors>>(std::move(loaded->tensors));
  entry.scorer = std::move(loaded->scorer);
  state_->cards[version].push_back(std::make_unique<const ModelCard>(entry.scorer->card()));
  state_->Step(version, VersionEvent::kLoaded);
  spdlog::info("{}:{} is available", options_.name, version);
  state_->Choose();
}

void ServedModel::Look(const std::stop_token& stop) {
  const auto present = repository_.Versions(options_.name);
  std::vector<int> to_load;
  std::vector<std::shared_ptr<const Scorer>> to_free;  // without the lock
  {
    const std::lock_guard lock(state_->mutex);
    State& state = *state_;
    const auto rollout = files_.Read();  // under the lock, so that it does not undo a Change()
    const std::string damaged = rollout ? "" : rollout.error().message;
    if (damaged != state.damaged && !damaged.empty())
      spdlog::error("{}; the last labels stay in force", damaged);
    state.damaged = damaged;
    if (rollout) state.rollout = *rollout;
    state.changed.notify_all();
    std::map<int, std::string> folders;
    if (present) {
      std::vector<int> numbers;
      for (const auto& folder : *present) {
        numbers.push_back(folder.version);
        folders[folder.version] = folder.signature;
      }
      state.wanted = WantedVersions(options_.policy, numbers);
      for (const auto label : {state.rollout.stable, state.rollout.canary})
        if (label && folders.contains(*label)) state.wanted.insert(*label);
    }
    state.Choose();
    for (auto& [version, entry] : state.versions) {
      const bool needed = state.wanted.contains(version) || version == state.serving;
      if (entry.state == VersionState::kAvailable && !needed) {
        state.Step(version, VersionEvent::kUnwant);
        spdlog::info("{}:{} is unloaded when its last analysis has ended", options_.name, version);
      }
      if (entry.state == VersionState::kUnloading && entry.in_flight == 0) {
        to_free.push_back(std::move(entry.scorer));
        entry.scorer.reset();
        state.Step(version, VersionEvent::kReleased);
      }
    }
    if (present)
      std::erase_if(state.versions, [&](const auto& item) {
        return !folders.contains(item.first) && item.second.state == VersionState::kEnd;
      });
    for (const auto& [version, signature] : folders) {
      Version& entry = state.versions[version];
      const bool changed = entry.signature != signature;
      entry.signature = signature;
      if (state.wanted.contains(version) && entry.state == VersionState::kEnd && (!entry.error || changed)) {
        state.Step(version, VersionEvent::kWant);
        to_load.push_back(version);
      }
    }
  }
  to_free.clear();
  std::sort(to_load.rbegin(), to_load.rend());
  for (const int version : to_load)
    if (!stop.stop_requested()) LoadVersion(version, later_, stop);
  if (!to_load.empty()) LookNow();  // what the new ones replace can go
}

void ServedModel::Watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Look(stop);
    std::unique_lock lock(state_->mutex);
    state_->wake.wait_for(lock, stop, Seconds(options_.interval), [this] { return state_->look; });
    state_->look = false;
  }
}

/// The version in use, which its watcher unloads after the last one has let go. With the lock held.
std::shared_ptr<const Scorer> ServedModel::State::Use(const std::shared_ptr<State>& state, int version) {
  struct InUse {
    InUse(std::shared_ptr<State> s, int v, std::shared_ptr<const Scorer> m)
        : state(std::move(s)), version(v), scorer(std::move(m)) {}
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;
    ~InUse() {
      const std::lock_guard lock(state->mutex);
      scorer.reset();  // never the last one: the version holds it until in_flight is 0
      Version& entry = state->versions.at(version);
      if (--entry.in_flight > 0 || entry.state != VersionState::kUnloading) return;
      state->look = true;
      state->wake.notify_all();
    }
    std::shared_ptr<State> state;
    int version;
    std::shared_ptr<const Scorer> scorer;
  };
  Version& entry = state->versions.at(version);
  auto in_use = std::make_shared<InUse>(state, version, entry.scorer);
  ++entry.in_flight;
  const Scorer* scorer = in_use->scorer.get();
  return {std::move(in_use), scorer};
}

ServedModel::Lease ServedModel::Take(std::string_view sha256) const {
  const std::lock_guard lock(state_->mutex);
  const Rollout& rollout = state_->rollout;
  const int canary = state_->CanaryInUse();
  const bool meets = canary != 0 && MeetsCanary(sha256, rollout.percent);
  const int chosen = meets && !rollout.shadow ? canary : state_->serving;
  return {.scorer = State::Use(state_, chosen),
          .label = LabelOf(rollout, chosen),
          .shadow = meets && rollout.shadow ? State::Use(state_, canary) : nullptr,
          .tensors = state_->versions.at(chosen).tensors};
}

std::optional<ServedModel::Lease> ServedModel::TakeNamed(std::string_view which) const {
  const std::lock_guard lock(state_->mutex);
  int chosen = 0;
  if (which.empty() || (which == "stable" && state_->rollout.stable)) {
    chosen = state_->serving;
  } else if (which == "canary") {
    chosen = state_->CanaryInUse();
  } else {
    const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), chosen);
    if (error != std::errc() || end != which.data() + which.size()) return std::nullopt;
  }
  const auto found = state_->versions.find(chosen);
  if (found == state_->versions.end() || found->second.state != VersionState::kAvailable) return std::nullopt;
  return Lease{.scorer = State::Use(state_, chosen),
               .label = LabelOf(state_->rollout, chosen),
               .shadow = nullptr,
               .tensors = found->second.tensors};
}

const ModelCard& ServedModel::card() const {
  const std::lock_guard lock(state_->mutex);
  return *state_->cards.at(state_->serving).back();
}

const ModelCard* ServedModel::CardOf(int version) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->cards.find(version);
  return found == state_->cards.end() ? nullptr : found->second.back().get();
}

std::vector<VersionStatus> ServedModel::Status() const {
  const std::lock_guard lock(state_->mutex);
  return state_->Status();
}

bool ServedModel::Await(const std::function<bool(const std::vector<VersionStatus>&)>& holds,
                        double seconds) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, Seconds(seconds), [&] { return holds(state_->Status()); });
}

Rollout ServedModel::rollout() const {
  const std::lock_guard lock(state_->mutex);
  return state_->rollout;
}

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

void ServedModel::LookNow() {
  const std::lock_guard lock(state_->mutex);
  state_->look = true;
  state_->wake.notify_all();
}

}  // namespace unmask
