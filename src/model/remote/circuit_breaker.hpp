// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string_view>

namespace unmask {

enum class BreakerState {
  kClosed,    ///< calls go through
  kOpen,      ///< calls are refused at once: the last ones all failed
  kHalfOpen,  ///< the pause is over: one call may find out, or is finding out, whether the server is back
};

/// "closed", "open" or "half_open".
std::string_view BreakerStateName(BreakerState state);

/// Keeps calls from a server that does not work, so that everybody learns it at once and the server is left
/// alone. Opens after `failures` calls in a row have failed; after `pause` one call may probe: when it
/// succeeds the breaker closes, otherwise the pause begins anew. Thread-safe. The clock is handed in.
class CircuitBreaker {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    int failures = 5;  ///< in a row; at least 1
    Clock::duration pause = std::chrono::seconds(5);
  };

  explicit CircuitBreaker(Options options) : options_(options) {}

  /// Whether a call may be made now. Who gets true calls Succeeded(), Failed() or Dropped() once.
  bool Allow(Clock::time_point now);

  void Succeeded();
  void Failed(Clock::time_point now);
  /// The call was given up by the caller: it says nothing of the server.
  void Dropped();

  BreakerState state(Clock::time_point now) const;

  /// How long until a call may probe; zero unless open.
  Clock::duration Remaining(Clock::time_point now) const;

 private:
  const Options options_;
  mutable std::mutex mutex_;
  int failed_ = 0;
  std::optional<Clock::time_point> opened_;  // since when calls are refused
  bool probing_ = false;
};

}  // namespace unmask
