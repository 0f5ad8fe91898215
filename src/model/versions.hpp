// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"
#include "unmask/serving.hpp"

namespace unmask {

/// Where a version is in its life. Names and numbers are those of TensorFlow Serving's
/// ModelVersionStatus.State (get_model_status.proto), which OpenVINO Model Server shares: do not change.
enum class VersionState {
  kStart = 10,      ///< wanted, not yet begun
  kLoading = 20,    ///< its files are checked, loaded and tried, or it waits for an engine elsewhere
  kAvailable = 30,  ///< may be asked
  kUnloading = 40,  ///< takes no new requests, those in flight end on it
  kEnd = 50,        ///< not loaded; with an error when loading failed
};

/// "START", "LOADING", "AVAILABLE", "UNLOADING" or "END".
std::string_view VersionStateName(VersionState state);

enum class VersionEvent {
  kWant,      ///< END to START
  kLoad,      ///< START to LOADING
  kLoaded,    ///< LOADING to AVAILABLE
  kFail,      ///< LOADING to END; also of one that waits and is not wanted any more
  kWait,      ///< stays LOADING: what it needs is not there yet, it is loaded again later
  kUnwant,    ///< AVAILABLE to UNLOADING; START to END
  kReleased,  ///< UNLOADING to END
};

/// The state after an event; nothing when the event does not fit the state. Pure.
std::optional<VersionState> After(VersionState state, VersionEvent event);

/// "latest", "latest:N", "all" or version numbers such as "1,4". kBadRequest for anything else.
Result<VersionPolicy> ParseVersionPolicy(std::string_view text);

/// The same text back.
std::string VersionPolicyText(const VersionPolicy& policy);

/// The versions of `present` (rising) that a server keeps loaded. Pure.
std::set<int> WantedVersions(const VersionPolicy& policy, const std::vector<int>& present);

/// How long a version that waits for an engine elsewhere is left before it is loaded again. Long enough that
/// an engine is not kept busy by those who wait for it, short enough that an operator who sees it come up
/// sees the version come up, too.
struct LoadRetry {
  double first = 1;     ///< seconds after the first load that failed, at most; each later wait is twice that
  double longest = 30;  ///< seconds, at most
};

/// Seconds after `failed` loads in a row (from 1). `random`, 0..1: between half of the longest wait and all
/// of it, so that servers which lost the same engine do not come back together. Pure.
double PauseBeforeLoad(const LoadRetry& retry, int failed, double random);

/// The version that answers when nobody asks for another: the one labelled stable; without that label the
/// highest one that is both available and wanted. While that is not available the one that serves now goes
/// on. 0: none. Pure.
int ChooseServing(std::optional<int> stable, int current, const std::set<int>& available,
                  const std::set<int>& wanted);

}  // namespace unmask
