// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/remote/circuit_breaker.hpp"

namespace unmask {

/// How a network that runs elsewhere is doing. Counts are of batches, since the start.
struct EngineStatus {
  std::string model;     ///< "NAME:VERSION"
  std::string protocol;  ///< "kserve-v2" or "tf-serving"
  BreakerState state = BreakerState::kClosed;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;   ///< without an answer that makes sense
  std::uint64_t refused = 0;  ///< not sent, since the breaker was open
  std::uint64_t retries = 0;  ///< further attempts of the same batch
  double seconds = 0;         ///< spent on those that were answered or failed
};

/// All networks of this process that run elsewhere, whoever holds them, in the order in which they were made.
/// Thread-safe and quick.
std::vector<EngineStatus> RemoteEngines();

}  // namespace unmask
