// SPDX-License-Identifier: Apache-2.0
#include "model/served_state.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace unmask {
namespace {

double RandomShare() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

double SecondsFrom(ServedModel::Clock::time_point now, ServedModel::Clock::time_point then) {
  return std::max(0.0, std::chrono::duration<double>(then - now).count());
}

}  // namespace

void ServedModel::State::Step(int version, VersionEvent event) {
  ServedVersion& entry = versions[version];
  const auto next = After(entry.state, event);
  if (!next)
    throw std::logic_error(fmt::format("version {} is {}: it cannot take event {}", version,
                                       VersionStateName(entry.state), static_cast<int>(event)));
  entry.state = *next;
  changed.notify_all();
}

void ServedModel::State::Wait(int version, const Error& error, const LoadRetry& retry, Time now) {
  ServedVersion& entry = versions[version];
  entry.error = error;
  ++entry.tries;
  const std::chrono::duration<double> pause(PauseBeforeLoad(retry, entry.tries, RandomShare()));
  entry.retry_at = now + std::chrono::duration_cast<Clock::duration>(pause);
  Step(version, VersionEvent::kWait);
}

std::optional<ServedModel::State::Time> ServedModel::State::NextRetry() const {
  std::optional<Time> next;
  for (const auto& [version, entry] : versions)
    if (entry.retry_at && (!next || *entry.retry_at < *next)) next = entry.retry_at;
  return next;
}

std::set<int> ServedModel::State::Available() const {
  std::set<int> available;
  for (const auto& [version, entry] : versions)
    if (entry.state == VersionState::kAvailable) available.insert(version);
  return available;
}

std::vector<VersionStatus> ServedModel::State::Status(Time now) const {
  std::vector<VersionStatus> all;
  for (const auto& [version, entry] : versions) {
    all.push_back({.version = version,
                   .state = entry.state,
                   .error = entry.error,
                   .tries = entry.tries,
                   .sha256 = entry.scorer ? entry.scorer->card().sha256 : "",
                   .label = LabelOf(rollout, version),
                   .serving = version == serving,
                   .in_flight = entry.in_flight,
                   .golden = entry.golden});
    if (entry.retry_at) all.back().retry_in = SecondsFrom(now, *entry.retry_at);
  }
  return all;
}

void ServedModel::State::Choose() {
  const std::set<int> available = Available();
  // Whatever can be asked is better than none.
  const int chosen = ChooseServing(rollout.stable, serving, available, serving == 0 ? available : wanted);
  if (chosen == serving) return;
  spdlog::info("version {} serves now{}", chosen, serving == 0 ? "" : fmt::format(" instead of {}", serving));
  serving = chosen;
  changed.notify_all();
}

Error ServedModel::State::NoneServes(const std::string& name) const {
  std::string why;
  for (const auto& [version, entry] : versions)  // the highest that waits, or the stable one
    if (entry.state == VersionState::kLoading && entry.error &&
        (!rollout.stable || version == *rollout.stable))
      why = fmt::format(": {}:{} waits for its engine: {}", name, version, entry.error->message);
  return {ErrorCode::kOverloaded, fmt::format("no version of the model '{}' is available yet{}", name, why),
          fmt::format("try again later; /v1/models/{} shows what each version is doing", name), ""};
}

int ServedModel::State::CanaryInUse() const {
  const int canary = rollout.canary.value_or(0);
  const auto found = versions.find(canary);
  const bool available = found != versions.end() && found->second.state == VersionState::kAvailable;
  return available && canary != serving && rollout != refused ? canary : 0;
}

CanaryWatch& ServedModel::State::Canaries(const CanaryLimits& limits) {
  const std::pair<int, int> now(serving, rollout.canary.value_or(0));
  if (!canaries || compared != now) canaries.emplace(limits);
  compared = now;
  return *canaries;
}

std::shared_ptr<const Scorer> ServedModel::State::Use(const std::shared_ptr<State>& state, int version) {
  struct InUse {
    InUse(std::shared_ptr<State> s, int v, std::shared_ptr<const Scorer> m)
        : state(std::move(s)), version(v), scorer(std::move(m)) {}
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;
    ~InUse() {
      const std::lock_guard lock(state->mutex);
      scorer.reset();  // never the last one: the version holds it until in_flight is 0
      ServedVersion& entry = state->versions.at(version);
      if (--entry.in_flight > 0 || entry.state != VersionState::kUnloading) return;
      state->look = true;
      state->wake.notify_all();
    }
    std::shared_ptr<State> state;
    int version;
    std::shared_ptr<const Scorer> scorer;
  };
  ServedVersion& entry = state->versions.at(version);
  auto in_use = std::make_shared<InUse>(state, version, entry.scorer);
  ++entry.in_flight;
  const Scorer* scorer = in_use->scorer.get();
  return {std::move(in_use), scorer};
}

}  // namespace unmask
