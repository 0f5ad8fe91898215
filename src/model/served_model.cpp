// SPDX-License-Identifier: Apache-2.0
#include "model/served_model.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "model/served_state.hpp"

namespace unmask {

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
    LoadVersion(version, first, options_.stop);
    if (options_.stop.stop_requested()) return Fail(ErrorCode::kCancelled, "the start was given up");
    const std::lock_guard lock(state_->mutex);
    if (state_->serving != 0) return {};
    const ServedVersion& entry = state_->versions[version];
    if (!why && entry.error && !entry.retry_at) why = entry.error;
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->NextRetry()) return {};
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
    ServedVersion& entry = state_->versions[version];
    entry.retry_at.reset();
    if (entry.state != VersionState::kLoading) {  // else it has waited, and its error says why
      state_->Step(version, VersionEvent::kLoad);
      if (entry.error) known_failure = entry.error->message;
      entry.error.reset();
    }
  }
  std::optional<ModelCard> card;
  const auto try_load = [&]() -> Result<Loaded> {
    auto read = repository_.Card(options_.name, version);
    if (!read) return tl::unexpected(read.error());
    card = std::move(*read);
    return load(*card, stop);
  };
  Result<Loaded> loaded = Fail(ErrorCode::kInternal, "loading ended in an unknown fault");
  try {
    loaded = try_load();
  } catch (const std::exception& e) {
    loaded = Fail(ErrorCode::kInternal, fmt::format("loading ended in a fault: {}", e.what()));
  }
  if (!loaded && !stop.stop_requested() && loaded.error().code == ErrorCode::kOverloaded)
    return WaitForEngine(version, std::move(*card), loaded.error());
  // Stopped, it says nothing of the version.
  const bool failed = !loaded && !stop.stop_requested();
  if (failed) {
    spdlog::warn("{}:{} is not available: {}", options_.name, version, loaded.error().message);
    // In the log first: who sees the state finds the reason there.
    if (loaded.error().message != known_failure)
      if (const auto recorded = files_.RecordFailure(version, loaded.error().message); !recorded)
        spdlog::debug("{}", recorded.error().message);
  }
  const std::lock_guard lock(state_->mutex);
  ServedVersion& entry = state_->versions[version];
  entry.tries = 0;
  entry.error.reset();
  if (failed) entry.error = loaded.error();
  if (!loaded) return state_->Step(version, VersionEvent::kFail);
  entry.golden = loaded->golden;
  entry.tensors = std::make_shared<const Result<NetworkTensors>>(std::move(loaded->tensors));
  entry.scorer = std::move(loaded->scorer);
  state_->cards[version].push_back(std::make_unique<const ModelCard>(entry.scorer->card()));
  state_->Step(version, VersionEvent::kLoaded);
  spdlog::info("{}:{} is available", options_.name, version);
  state_->Choose();
}

void ServedModel::WaitForEngine(int version, ModelCard card, const Error& error) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->awaited) state_->awaited = std::make_unique<const ModelCard>(std::move(card));
  const auto now = options_.now();
  state_->Wait(version, error, options_.retry, now);
  const ServedVersion& entry = state_->versions.at(version);
  const std::chrono::duration<double> pause = *entry.retry_at - now;
  spdlog::warn("{}:{} waits for its engine: {}; it is tried again in {:.1f} s", options_.name, version,
               error.message, pause.count());
}

void ServedModel::Look(const std::stop_token& stop) {
  const auto present = repository_.Versions(options_.name);
  std::vector<int> to_load;
  std::vector<int> to_retry;
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
    if (present) GiveUpUnwanted(folders);
    if (present)
      std::erase_if(state.versions, [&](const auto& item) {
        return !folders.contains(item.first) && item.second.state == VersionState::kEnd;
      });
    const auto now = options_.now();
    for (const auto& [version, signature] : folders) {
      ServedVersion& entry = state.versions[version];
      const bool changed = entry.signature != signature;
      entry.signature = signature;
      if (entry.retry_at && changed) entry.tries = 0;
      if (entry.retry_at && (changed || *entry.retry_at <= now)) to_retry.push_back(version);
      if (state.wanted.contains(version) && entry.state == VersionState::kEnd && (!entry.error || changed)) {
        state.Step(version, VersionEvent::kWant);
        to_load.push_back(version);
      }
    }
  }
  to_free.clear();
  std::sort(to_load.rbegin(), to_load.rend());
  // Last, since an engine that does not answer takes its time.
  to_load.insert(to_load.end(), to_retry.begin(), to_retry.end());
  for (const int version : to_load)
    if (!stop.stop_requested()) LoadVersion(version, later_, stop);
  if (!to_load.empty()) LookNow();  // what the new ones replace can go
}

void ServedModel::GiveUpUnwanted(const std::map<int, std::string>& folders) {
  for (auto& [version, entry] : state_->versions) {
    const bool wanted = state_->wanted.contains(version) || state_->serving == 0;
    if (!entry.retry_at || (wanted && folders.contains(version))) continue;
    spdlog::info("{}:{} is not wanted any more and waits no longer", options_.name, version);
    entry.retry_at.reset();
    entry.error.reset();
    entry.tries = 0;
    state_->Step(version, VersionEvent::kFail);
  }
}

void ServedModel::Watch(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Look(stop);
    std::unique_lock lock(state_->mutex);
    std::chrono::duration<double> pause(options_.interval);
    // What is due and was left cannot be loaded now: the repository cannot be read.
    const auto now = options_.now();
    if (const auto retry = state_->NextRetry(); retry && *retry > now)
      pause = std::min(pause, std::chrono::duration<double>(*retry - now));
    state_->wake.wait_for(lock, stop, pause, [this] { return state_->look; });
    state_->look = false;
  }
}

Result<ServedModel::Lease> ServedModel::Take(std::string_view sha256) const {
  const std::lock_guard lock(state_->mutex);
  const Rollout& rollout = state_->rollout;
  const int canary = state_->CanaryInUse();
  const bool meets = canary != 0 && MeetsCanary(sha256, rollout.percent);
  const int chosen = meets && !rollout.shadow ? canary : state_->serving;
  if (chosen == 0) return tl::unexpected(state_->NoneServes(options_.name));
  return Lease{.scorer = State::Use(state_, chosen),
               .label = LabelOf(rollout, chosen),
               .shadow = meets && rollout.shadow ? State::Use(state_, canary) : nullptr,
               .tensors = state_->versions.at(chosen).tensors};
}

Result<void> ServedModel::Ready() const {
  const std::lock_guard lock(state_->mutex);
  if (state_->serving == 0) return tl::unexpected(state_->NoneServes(options_.name));
  return {};
}

int ServedModel::serving() const {
  const std::lock_guard lock(state_->mutex);
  return state_->serving;
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
  return state_->serving == 0 ? *state_->awaited : *state_->cards.at(state_->serving).back();
}

std::vector<VersionStatus> ServedModel::Status() const {
  const std::lock_guard lock(state_->mutex);
  return state_->Status(options_.now());
}

bool ServedModel::Await(const std::function<bool(const std::vector<VersionStatus>&)>& holds,
                        double seconds) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, std::chrono::duration<double>(seconds),
                                  [&] { return holds(state_->Status(options_.now())); });
}

Rollout ServedModel::rollout() const {
  const std::lock_guard lock(state_->mutex);
  return state_->rollout;
}

void ServedModel::LookNow() {
  const std::lock_guard lock(state_->mutex);
  state_->look = true;
  state_->wake.notify_all();
}

}  // namespace unmask
