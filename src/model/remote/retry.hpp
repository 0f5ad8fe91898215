// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "client/http_call.hpp"

namespace unmask {

/// When a call is made again. Asking a network twice does no harm, but a server that is slow or wrong only
/// gets slower: so only when the server surely did not answer (refused, or the connection broke before an
/// answer), and when it says so itself (429, 503).
struct RetryOptions {
  int attempts = 3;  ///< of one call, the first included
  double first_pause =
      0.05;  ///< seconds before the second attempt, on the average; each further one waits twice as long
  double longest_pause = 2;  ///< seconds; a longer Retry-After is not waited for
};

/// Whether a call without an answer may be made again.
bool IsRetryable(const HttpFailure& failure);

/// Likewise of an answer's status.
bool IsRetryable(long status);

/// Seconds before the next attempt, nothing when there is none. `made`: attempts so far. `retry_after`: the
/// header of the last answer, null without one; only its form as seconds is understood. `left`: seconds until
/// the deadline. `random`: 0..1, so that clients that failed together do not come back together. Pure.
std::optional<double> PauseBeforeRetry(const RetryOptions& options, int made, const std::string* retry_after,
                                       double left, double random);

}  // namespace unmask
