// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/repository.hpp"
#include "model/rollout.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// Whether the labels of `next` put a version before users that `unmask model gate` has let pass: the log of
/// the model holds a gate of this version's weights against those of the version that answers now (stable, or
/// `serving` without that label), and the newest such gate was passed. Versions are known by the SHA-256 of
/// their weights, so a number that is given to other weights counts for nothing. Labels that name no new
/// version need no gate. kConflict, with the command, otherwise.
Result<void> CheckGate(const ModelRepository& repository, const std::string& name, const Rollout& now,
                       const Rollout& next, int serving);

}  // namespace unmask
