// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compat/check/compare.hpp"
#include "compat/check/judgement.hpp"

namespace unmask::compat {

/// One event that mesonet-api sent over Socket.IO.
struct CheckedEvent {
  std::string name;
  std::string arguments;  ///< a JSON array
};

/// What the events say about their video: that of the last prediction_complete.
std::optional<Judgement> ReadJudgement(const std::vector<CheckedEvent>& events);

/// All differences of what two services sent for the same video, each once. Events are compared by their
/// name, those of prediction_progress by their stage, too: their order, then the payload of each with that of
/// its counterpart. A place is written "prediction_progress/batch_complete.total".
std::vector<Difference> CompareEvents(const std::vector<CheckedEvent>& theirs,
                                      const std::vector<CheckedEvent>& ours);

}  // namespace unmask::compat
