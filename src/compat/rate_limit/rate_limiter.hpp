// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "unmask/error.hpp"

namespace unmask::compat {

/// So many requests in so long a time. Printed as "5 per 1 minute".
struct RateRule {
  int limit = 0;
  int seconds = 0;
  std::string_view unit;  ///< "minute", "hour", "day": one of them is the time

  std::string Text() const;
};

/// Error::limit of a request that was one too many; the message is the rule's text.
inline constexpr const char* kRateLimit = "rate";

/// Counts of fixed windows: a window begins with its first hit and ends so many seconds later, whatever comes
/// between. Thread-safe.
class WindowStore {
 public:
  virtual ~WindowStore() = default;

  /// Counts one more hit of the key and gives the number in its window. Fails when the count cannot be had.
  virtual Result<std::int64_t> Increment(const std::string& key, int seconds) = 0;
};

/// Seconds of a clock that does not jump.
using SteadySeconds = std::function<double()>;

/// Windows in this process, at most `max_windows` of them: one more takes the place of the one that would end
/// first. `now` is for tests.
std::unique_ptr<WindowStore> MakeMemoryStore(std::size_t max_windows = 100'000, SteadySeconds now = {});

/// Counts requests of clients at endpoints, under the keys that Flask-Limiter gives them
/// (LIMITS:LIMITER/<client>/<endpoint>/5/1/minute), so that servers of either kind can share one Redis.
/// Thread-safe.
class RateLimiter {
 public:
  /// What happens while the store does not answer.
  enum class Down {
    kAllow,  ///< requests go uncounted
    kDeny,   ///< requests are refused
  };

  RateLimiter(std::unique_ptr<WindowStore> store, Down down) : store_(std::move(store)), down_(down) {}

  /// Counts a request against the rules, from the shortest window to the longest, until one is exceeded.
  /// kLimitExceeded with the rule's text and kRateLimit; kOverloaded when the store is down and Down::kDeny.
  /// May wait for the store.
  Result<void> Hit(std::string_view client, std::string_view endpoint, std::span<const RateRule> rules);

 private:
  const std::unique_ptr<WindowStore> store_;
  const Down down_;
};

}  // namespace unmask::compat
