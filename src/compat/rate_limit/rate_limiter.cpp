// SPDX-License-Identifier: Apache-2.0
#include "compat/rate_limit/rate_limiter.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace unmask::compat {
namespace {

double SteadyNow() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class MemoryStore : public WindowStore {
 public:
  MemoryStore(std::size_t max_windows, SteadySeconds now)
      : max_windows_(max_windows), now_(now ? std::move(now) : SteadyNow) {}

  Result<std::int64_t> Increment(const std::string& key, int seconds) override {
    const std::lock_guard lock(mutex_);
    const double now = now_();
    while (!ends_.empty() && ends_.begin()->first <= now) Forget(ends_.begin());
    if (const auto found = counts_.find(key); found != counts_.end()) return ++found->second;
    if (counts_.size() >= max_windows_) Forget(ends_.begin());
    counts_.emplace(key, 1);
    ends_.emplace(now + seconds, key);
    return 1;
  }

 private:
  using Ends = std::multimap<double, std::string>;
  void Forget(Ends::iterator end) {
    counts_.erase(end->second);
    ends_.erase(end);
  }

  const std::size_t max_windows_;
  const SteadySeconds now_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> counts_;
  Ends ends_;  // when each window ends
};

}  // namespace

std::string RateRule::Text() const { return fmt::format("{} per 1 {}", limit, unit); }

std::unique_ptr<WindowStore> MakeMemoryStore(std::size_t max_windows, SteadySeconds now) {
  return std::make_unique<MemoryStore>(max_windows, std::move(now));
}

Result<void> RateLimiter::Hit(std::string_view client, std::string_view endpoint,
                              std::span<const RateRule> rules) {
  for (const RateRule& rule : rules) {
    const auto key = fmt::format("LIMITS:LIMITER/{}/{}/{}/1/{}", client, endpoint, rule.limit, rule.unit);
    const auto count = store_->Increment(key, rule.seconds);
    if (!count && down_ == Down::kDeny)
      return Fail(ErrorCode::kOverloaded, "the rate limit cannot be checked", "try again in a moment");
    if (count && *count > rule.limit) return Fail(ErrorCode::kLimitExceeded, rule.Text(), "", kRateLimit);
  }
  return {};
}

}  // namespace unmask::compat
