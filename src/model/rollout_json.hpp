// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "model/rollout.hpp"

namespace unmask {

/// {"stable": 1, "canary": null, "previous": null, "percent": 0, "shadow": false}
nlohmann::ordered_json ToJsonValue(const Rollout& rollout);

/// The log's line: time, actor, action, from, to, reason, and version when it is not 0, gate with "gate".
nlohmann::ordered_json ToJsonValue(const RolloutEvent& event);

}  // namespace unmask
