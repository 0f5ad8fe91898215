// SPDX-License-Identifier: Apache-2.0
#include "model/remote/retry.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace unmask {

bool IsRetryable(const HttpFailure& failure) {
  using Kind = HttpFailure::Kind;
  return failure.kind == Kind::kConnect || failure.kind == Kind::kClosed ||
         (failure.kind == Kind::kReset && failure.received == 0);
}

bool IsRetryable(long status) { return status == 429 || status == 503; }

std::optional<double> PauseBeforeRetry(const RetryOptions& options, int made, const std::string* retry_after,
                                       double left, double random) {
  if (made >= options.attempts) return std::nullopt;
  const double mean = std::min(options.first_pause * std::pow(2.0, made - 1), options.longest_pause);
  double pause = mean * (0.5 + random);
  if (retry_after) {
    unsigned asked = 0;
    const auto parsed =
        std::from_chars(retry_after->data(), retry_after->data() + retry_after->size(), asked);
    if (parsed.ec != std::errc() || parsed.ptr != retry_after->data() + retry_after->size())
      return std::nullopt;
    if (asked > options.longest_pause) return std::nullopt;
    pause = std::max(pause, asked + options.first_pause * random);
  }
  if (pause >= left) return std::nullopt;
  return pause;
}

}  // namespace unmask
