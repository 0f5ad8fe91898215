// SPDX-License-Identifier: Apache-2.0
#include "model/remote/circuit_breaker.hpp"

#include <algorithm>

namespace unmask {

std::string_view BreakerStateName(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half_open";
  }
  return "closed";
}

bool CircuitBreaker::Allow(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (!opened_) return true;
  if (probing_ || now - *opened_ < options_.pause) return false;
  probing_ = true;
  return true;
}

void CircuitBreaker::Succeeded() {
  const std::lock_guard lock(mutex_);
  failed_ = 0;
  probing_ = false;
  opened_.reset();
}

void CircuitBreaker::Failed(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  ++failed_;
  // Calls that began before it opened may end later: they do not lengthen the pause.
  if (probing_ || (!opened_ && failed_ >= options_.failures)) opened_ = now;
  probing_ = false;
}

void CircuitBreaker::Dropped() {
  const std::lock_guard lock(mutex_);
  probing_ = false;
}

BreakerState CircuitBreaker::state(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  if (!opened_) return BreakerState::kClosed;
  return probing_ || now - *opened_ >= options_.pause ? BreakerState::kHalfOpen : BreakerState::kOpen;
}

CircuitBreaker::Clock::duration CircuitBreaker::Remaining(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  if (!opened_ || probing_) return Clock::duration::zero();
  return std::max(Clock::duration::zero(), options_.pause - (now - *opened_));
}

}  // namespace unmask
