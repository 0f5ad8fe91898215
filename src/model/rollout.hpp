// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

/// Which versions of a model answer, and how many files the newer one gets. A plain value, kept in
/// models/<name>/rollout.json.
struct Rollout {
  std::optional<int> stable;    ///< answers; absent: the highest version does
  std::optional<int> canary;    ///< is tried on a part of the files
  std::optional<int> previous;  ///< was stable before, for Rollback()
  double percent = 0;           ///< of the files that meet the canary, 0..100
  bool shadow = false;          ///< the canary's results are only recorded: stable answers every file

  bool operator==(const Rollout&) const = default;
};

/// The three changes. Pure: each gives the new state, or kConflict with what to do instead. `serving` is the
/// version that answers while no label says so.
///
/// Promote: the canary becomes stable, or `version` when one is given; a canary that it passes ends.
Result<Rollout> Promote(const Rollout& now, std::optional<int> version, int serving);
/// Rollback: takes the canary back when there is one; otherwise the stable version before is stable again.
Result<Rollout> Rollback(const Rollout& now);
/// Route: `percent` of the files meet the canary, which is `version` when one is given. Labels the serving
/// version stable if none is.
Result<Rollout> Route(const Rollout& now, std::optional<int> version, double percent, bool shadow,
                      int serving);

/// Whether a file meets the canary: decided by its content alone, so that one file always meets one version
/// while the percentage stays, and what has met the canary still does when it rises. `sha256` in lower-case
/// hex; the hash's first 52 bits are the file's place in 0..1. Pure.
bool MeetsCanary(std::string_view sha256, double percent);

/// A version label: "stable", "canary", or "" for a version that has none.
std::string LabelOf(const Rollout& rollout, int version);

/// "stable 1 (before: none), canary 2 at 5 %", for logs and people.
std::string RolloutText(const Rollout& rollout);

/// One line of models/<name>/rollout.log.
struct RolloutEvent {
  std::string time;    ///< RFC 3339, UTC
  std::string actor;   ///< "cli", "api" or "automatic"
  std::string action;  ///< "promote", "rollback", "route", "failed" (a version that could not be loaded) or
                       ///< "gate" (a version was measured against another one)
  int version = 0;     ///< with "failed" and "gate"; else 0
  Rollout from;
  Rollout to;
  std::string reason;  ///< may be empty
  std::string gate;    ///< with "gate": the decision, JSON of schema unmask.gate/1; else empty
};

/// The labels and the log of one model, in its folder. Any number of processes may read and change them: a
/// change holds a lock on the log, replaces rollout.json as a whole, and is in the log before it is in force.
/// Thread-safe; holds nothing.
class RolloutFiles {
 public:
  explicit RolloutFiles(std::filesystem::path model_folder) : folder_(std::move(model_folder)) {}

  /// The labels; all absent without a file. kInternal when the file is damaged.
  Result<Rollout> Read() const;

  /// Reads, changes and writes. `change` is asked under the lock; when it fails, or nothing can be written
  /// (read-only or full disk: kUnreadable or kInternal), nothing has changed.
  Result<Rollout> Change(std::string_view actor, std::string_view action, std::string_view reason,
                         const std::function<Result<Rollout>(const Rollout&)>& change) const;

  /// Adds to the log that a version could not be loaded. Fails as Change() does.
  Result<void> RecordFailure(int version, const std::string& reason) const;

  /// Adds to the log how a gate decided on a version: `gate` is JSON of schema unmask.gate/1 on one line.
  /// Fails as Change() does, and with kInternal when it is not.
  Result<void> RecordGate(int version, const std::string& reason, const std::string& gate) const;

  /// How the newest gate of these weights (SHA-256) against those decided; nothing when the log has none.
  Result<std::optional<bool>> GateOf(const std::string& candidate, const std::string& stable) const;

  /// The newest `limit` events, oldest first; damaged lines are left out. Reads at most the last megabyte.
  Result<std::vector<RolloutEvent>> Log(std::size_t limit) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace unmask
