// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/canary.hpp"
#include "model/served_model.hpp"

namespace unmask {

/// One version of a served model: its state, and its scorer while that is loaded.
struct ServedVersion {
  VersionState state = VersionState::kEnd;
  std::string signature;  ///< of the folder when it was last loaded
  std::optional<Error> error;
  int tries = 0;                                           ///< loads in a row after which it waits
  std::optional<ServedModel::Clock::time_point> retry_at;  ///< with kLoading: when it is loaded again
  std::shared_ptr<const Scorer> scorer;                    ///< with kAvailable and kUnloading
  std::shared_ptr<const Result<NetworkTensors>> tensors;   ///< likewise
  std::optional<GoldenResult> golden;
  int in_flight = 0;
};

/// What a ServedModel knows of its versions: which there are, which one serves and which files the canary
/// gets. Its leases hold it, too. Decides, and loads nothing.
struct ServedModel::State {
  using Time = Clock::time_point;

  mutable std::mutex mutex;  ///< guards all below; every method wants it held
  std::condition_variable_any wake;
  std::condition_variable changed;  ///< after each change of the status
  bool look = false;                ///< somebody asked for a look at the repository
  std::map<int, ServedVersion> versions;
  std::set<int> wanted;
  Rollout rollout;
  std::string damaged;             ///< why rollout.json cannot be read; the last labels stay in force
  std::optional<Rollout> refused;  ///< labels whose canary was taken back here alone
  std::pair<int, int> compared;    ///< stable and canary that `canaries` is about
  std::optional<CanaryWatch> canaries;
  int serving = 0;
  std::map<int, std::vector<std::unique_ptr<const ModelCard>>> cards;  ///< of every load, the newest last
  std::unique_ptr<const ModelCard> awaited;  ///< the first version that waited for its engine

  /// The next state of a version. Throws std::logic_error for an event that does not fit.
  void Step(int version, VersionEvent event);

  /// From `now` on the version waits, for want of what `error` says.
  void Wait(int version, const Error& error, const LoadRetry& retry, Time now);
  /// The first time at which a version that waits is to be loaded again.
  std::optional<Time> NextRetry() const;

  std::set<int> Available() const;
  std::vector<VersionStatus> Status(Time now) const;

  /// Who serves may change after each load and each change of the labels.
  void Choose();

  /// Why no version of `name` serves.
  Error NoneServes(const std::string& name) const;

  /// The canary when it can be asked; 0 otherwise: stable then answers its files, too.
  int CanaryInUse() const;

  /// The comparison of the versions in use, begun anew when they have changed.
  CanaryWatch& Canaries(const CanaryLimits& limits);

  /// A loaded version in use, which is not unloaded before the last one has let go.
  static std::shared_ptr<const Scorer> Use(const std::shared_ptr<State>& state, int version);
};

}  // namespace unmask
