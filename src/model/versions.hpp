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
  kLoading = 20,    ///< its files are checked, loaded and tried
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
  kFail,      ///< LOADING to END
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

/// The version that answers when nobody asks for another: the one labelled stable; without that label the
/// highest one that is both available and wanted. While that is not available the one that serves now goes
/// on. 0: none. Pure.
int ChooseServing(std::optional<int> stable, int current, const std::set<int>& available,
                  const std::set<int>& wanted);

}  // namespace unmask
