// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "model/canary.hpp"
#include "model/golden.hpp"
#include "model/network_tensors.hpp"
#include "model/repository.hpp"
#include "model/rollout.hpp"
#include "model/scorer.hpp"
#include "model/versions.hpp"

namespace unmask {

/// What one version of the served model is doing.
struct VersionStatus {
  int version = 0;
  VersionState state = VersionState::kEnd;
  /// Why it could not be loaded: with kEnd until its folder changes, with kLoading until the next try.
  std::optional<Error> error;
  int tries = 0;                       ///< with kLoading: loads in a row that failed with kOverloaded
  std::optional<double> retry_in;      ///< with kLoading: seconds until the next try, while it waits for one
  std::string sha256;                  ///< of the weights, once loaded
  std::string label;                   ///< "stable", "canary" or ""
  bool serving = false;                ///< answers when nobody asks for another
  int in_flight = 0;                   ///< analyses and requests that run on it now
  std::optional<GoldenResult> golden;  ///< of its last load; absent also when it has no golden inputs
};

/// One model with the versions that a server has loaded. Looks at the repository from time to time and loads
/// and unloads in a thread of its own: the version that serves goes on until a newer one has been loaded,
/// warmed up and has passed its golden inputs, and what cannot be loaded changes nothing but its own status.
/// A version that failed is tried again when its folder changes; one whose load gives kOverloaded, since an
/// engine elsewhere is not there, stays LOADING and is tried again by itself (LoadRetry). Until some version
/// is available nothing serves. Thread-safe.
class ServedModel {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::filesystem::path root;  ///< the repository
    std::string name;
    VersionPolicy policy;
    double interval = 2;  ///< seconds between two looks
    CanaryLimits canary;
    LoadRetry retry;
    std::stop_token stop;                                 ///< gives up Create(), with kCancelled
    std::function<Clock::time_point()> now = Clock::now;  ///< when a version that waits is tried again
  };

  /// What an observer is told of each analysis.
  struct Told {
    int version = 0;
    std::string label;  ///< "stable", "canary", "shadow" or ""
    Judgement judgement;
    std::optional<bool> agrees;   ///< of the shadow: the verdicts are equal
    std::optional<double> shift;  ///< canary minus stable, as far as it is known now
    bool rolled_back = false;     ///< the canary was taken back because of this one
  };
  using Observer = std::function<void(const Told&)>;

  /// What loading a version gives.
  struct Loaded {
    std::unique_ptr<Scorer> scorer;
    std::optional<GoldenResult> golden;
    /// For Lease::tensors; an error that of a network that cannot be offered to others.
    Result<NetworkTensors> tensors = Fail(ErrorCode::kInternal, "nobody looked at the network's tensors");
  };
  /// Loads and tries a version. May take minutes, and is to end soon, with any error, once `stop` is
  /// requested. kOverloaded says that the same may succeed later. Called by one thread at a time.
  using Load = std::function<Result<Loaded>(const ModelCard& card, const std::stop_token& stop)>;

  /// A version in use: it is not unloaded before this goes. May outlive the model.
  struct Lease {
    std::shared_ptr<const Scorer> scorer;
    std::string label;                     ///< "stable", "canary" or ""
    std::shared_ptr<const Scorer> shadow;  ///< is to judge the file too, and only be recorded; may be null
    std::shared_ptr<const Result<NetworkTensors>> tensors;  ///< what its network takes and gives
  };

  /// Loads, with `first`, the version that serves from the start: the stable one, else the highest one that
  /// can be loaded. Everything later is loaded with `later`. Fails as `first` does, or with kNotFound; when
  /// nothing could be loaded but some version waits for its engine, it begins with none that serves.
  static Result<std::unique_ptr<ServedModel>> Create(Options options, const Load& first, Load later);

  /// Stops looking, and a load under way.
  ~ServedModel();

  const std::string& name() const { return options_.name; }
  const VersionPolicy& policy() const { return options_.policy; }

  /// The version for a file with this content: the canary for its share of the files, else the one that
  /// serves. Fails as Ready() does.
  Result<Lease> Take(std::string_view sha256) const;

  /// kOverloaded while no version serves, with what the one that is to serve waits for.
  Result<void> Ready() const;

  /// The version that the client chose: "" for the one that serves, a number in decimal, or a label in force.
  /// "stable" is the one that serves: while a version with that label is still loading, the one before. Has
  /// no shadow. Nothing unless the version is AVAILABLE.
  std::optional<Lease> TakeNamed(std::string_view which) const;

  /// The version that serves; 0: none does yet.
  int serving() const;

  /// The card of the version that serves, else that of the first one that waited; valid as long as this.
  const ModelCard& card() const;

  /// Every version that is on the disk or loaded, rising.
  std::vector<VersionStatus> Status() const;

  /// Waits until `holds` is true of the status; false when it is not within so many seconds. It is asked
  /// again after every change, under a lock: it must not call this object.
  bool Await(const std::function<bool(const std::vector<VersionStatus>&)>& holds, double seconds) const;

  /// The labels in force.
  Rollout rollout() const;

  /// As RolloutFiles::Change(), and in force here at once; a version that is not loaded yet is loaded in the
  /// background and answers when it is available.
  Result<Rollout> Change(std::string_view actor, std::string_view action, std::string_view reason,
                         const std::function<Result<Rollout>(const Rollout&)>& change);

  /// Tells how an analysis on a version of Take() went. Takes the canary back, with a line in the log, when
  /// its limits are broken; when the labels cannot be written, in this server alone until they change.
  void Record(int version, const std::string& label, const Judgement& judgement);

  /// The same of the canary in the shadow: `stable` is what answered.
  void RecordShadow(int version, const Judgement& judgement, const Judgement& stable, bool agrees);

  /// Who is told of each from now on, on the thread that records, one call at a time; null: nobody. Waits for
  /// a call under way.
  void Observe(Observer observer);

  /// Looks at the repository now instead of after the interval; does not wait for it.
  void LookNow();

 private:
  struct State;  // served_state.hpp; shared with leases
  explicit ServedModel(Options options, Load later);

  Result<void> Begin(const Load& first);
  void Look(const std::stop_token& stop);
  void LoadVersion(int version, const Load& load, const std::stop_token& stop);
  void WaitForEngine(int version, ModelCard card, const Error& error);
  void GiveUpUnwanted(const std::map<int, std::string>& folders);
  bool TakeBack(const std::string& complaint);
  void Tell(const Told& told);
  void Watch(const std::stop_token& stop);

  const Options options_;
  const ModelRepository repository_;
  const RolloutFiles files_;
  const Load later_;
  const std::shared_ptr<State> state_;
  std::mutex observing_;
  Observer observer_;  // guarded by observing_
  std::jthread thread_;
};

}  // namespace unmask
