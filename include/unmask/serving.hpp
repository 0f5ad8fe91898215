// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

namespace unmask {

/// Which versions of a model a server keeps loaded. The labels' versions are loaded beside them.
struct VersionPolicy {
  enum class Kind {
    kLatest,  ///< the `latest` highest ones
    kAll,
    kGiven,  ///< those of `given` that exist
  };
  Kind kind = Kind::kLatest;
  int latest = 1;  ///< 1..1000
  std::vector<int> given;
};

/// When a canary is taken back by itself. It is compared with the stable version over the last 500 analyses
/// of each, from `min_analyses` of each on.
struct CanaryLimits {
  bool automatic = true;  ///< false: only record
  int min_analyses = 50;  ///< 10..500
  double max_errors =
      0.05;                ///< internal errors as a share of its analyses, beyond the stable version's, 0..1
  double max_latency = 2;  ///< median seconds of an analysis over the stable version's, from 1 on
  double max_shift = 0.1;  ///< difference of the mean scores, 0..1, when it is more than chance explains
};

/// How a server keeps up with its model's folder.
struct ModelWatch {
  VersionPolicy policy;
  double interval = 2;  ///< seconds between two looks at the folder
  /// The program that tries a new version in a process of its own before it is loaded here (`PROGRAM model
  /// verify`), so that a file which crashes the engine or keeps it busy costs nothing else. Empty: no trial.
  std::filesystem::path trial;
  CanaryLimits canary;
  double trial_timeout = 120;  ///< seconds of wall clock for one trial
  std::stop_token stop;        ///< gives up loading the first version
};

}  // namespace unmask
