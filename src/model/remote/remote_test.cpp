// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/remote/circuit_breaker.hpp"
#include "model/remote/retry.hpp"

namespace unmask {
namespace {

using std::chrono::seconds;

TEST(CircuitBreaker, OpensAfterFailuresInARowAlone) {
  CircuitBreaker breaker({.failures = 3, .pause = seconds(5)});
  const CircuitBreaker::Clock::time_point now{};
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(breaker.Allow(now));
    breaker.Failed(now);
  }
  ASSERT_TRUE(breaker.Allow(now));
  breaker.Succeeded();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(breaker.state(now), BreakerState::kClosed);
    ASSERT_TRUE(breaker.Allow(now));
    breaker.Failed(now);
  }
  EXPECT_EQ(breaker.state(now), BreakerState::kOpen);
  EXPECT_EQ(breaker.state(now + seconds(5)), BreakerState::kHalfOpen) << "whoever comes next may probe";
  EXPECT_FALSE(breaker.Allow(now + seconds(4)));
  EXPECT_EQ(breaker.Remaining(now + seconds(4)), seconds(1));
}

TEST(CircuitBreaker, LetsOneCallProbe) {
  CircuitBreaker breaker({.failures = 1, .pause = seconds(5)});
  const CircuitBreaker::Clock::time_point now{};
  ASSERT_TRUE(breaker.Allow(now));
  breaker.Failed(now);
  ASSERT_TRUE(breaker.Allow(now + seconds(5)));
  EXPECT_EQ(breaker.state(now + seconds(5)), BreakerState::kHalfOpen);
  EXPECT_FALSE(breaker.Allow(now + seconds(60))) << "while the probe is under way";
  breaker.Failed(now + seconds(6));
  EXPECT_FALSE(breaker.Allow(now + seconds(10))) << "the pause begins anew";
  ASSERT_TRUE(breaker.Allow(now + seconds(11)));
  breaker.Succeeded();
  EXPECT_EQ(breaker.state(now + seconds(11)), BreakerState::kClosed);
  EXPECT_TRUE(breaker.Allow(now + seconds(11)));
}

TEST(CircuitBreaker, TakesAGivenUpProbeForNothing) {
  CircuitBreaker breaker({.failures = 1, .pause = seconds(5)});
  const CircuitBreaker::Clock::time_point now{};
  ASSERT_TRUE(breaker.Allow(now));
  breaker.Failed(now);
  ASSERT_TRUE(breaker.Allow(now + seconds(5)));
  breaker.Dropped();
  EXPECT_EQ(breaker.state(now), BreakerState::kOpen);
  EXPECT_TRUE(breaker.Allow(now + seconds(5))) << "the next one may probe";
}

TEST(CircuitBreaker, DoesNotLengthenThePauseForCallsThatBeganEarlier) {
  CircuitBreaker breaker({.failures = 1, .pause = seconds(5)});
  const CircuitBreaker::Clock::time_point now{};
  ASSERT_TRUE(breaker.Allow(now));
  ASSERT_TRUE(breaker.Allow(now));
  breaker.Failed(now);
  breaker.Failed(now + seconds(4));
  EXPECT_TRUE(breaker.Allow(now + seconds(5)));
}

TEST(Retry, IsForWhatWasSurelyNotAnswered) {
  using Kind = HttpFailure::Kind;
  for (const auto kind : {Kind::kConnect, Kind::kClosed, Kind::kReset})
    EXPECT_TRUE(IsRetryable({.kind = kind}));
  for (const auto kind : {Kind::kReadTimeout, Kind::kConnectTimeout, Kind::kIncomplete, Kind::kNotHttp,
                          Kind::kTooLarge, Kind::kCancelled, Kind::kResolve, Kind::kOther})
    EXPECT_FALSE(IsRetryable({.kind = kind}));
  EXPECT_FALSE(IsRetryable({.kind = Kind::kReset, .received = 1}));
  EXPECT_TRUE(IsRetryable(429));
  EXPECT_TRUE(IsRetryable(503));
  for (const long status : {200L, 400L, 404L, 500L, 502L, 504L}) EXPECT_FALSE(IsRetryable(status));
}

TEST(Retry, WaitsLongerEachTimeAndNeverBeyondTheDeadline) {
  const RetryOptions options{.attempts = 4, .first_pause = 0.1, .longest_pause = 1};
  EXPECT_DOUBLE_EQ(*PauseBeforeRetry(options, 1, nullptr, 10, 0.5), 0.1);
  EXPECT_DOUBLE_EQ(*PauseBeforeRetry(options, 2, nullptr, 10, 0.5), 0.2);
  EXPECT_DOUBLE_EQ(*PauseBeforeRetry(options, 3, nullptr, 10, 0), 0.2);
  EXPECT_DOUBLE_EQ(*PauseBeforeRetry(options, 3, nullptr, 10, 1), 0.6);
  EXPECT_FALSE(PauseBeforeRetry(options, 4, nullptr, 10, 0.5)) << "no attempt is left";
  EXPECT_FALSE(PauseBeforeRetry(options, 1, nullptr, 0.05, 0.5)) << "no time is left";
}

TEST(Retry, WaitsAsLongAsTheServerAsks) {
  const RetryOptions options{.attempts = 2, .first_pause = 0.1, .longest_pause = 2};
  const std::string one = "1";
  const std::string long_time = "60";
  const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_DOUBLE_EQ(*PauseBeforeRetry(options, 1, &one, 10, 0.5), 1.05);
  EXPECT_FALSE(PauseBeforeRetry(options, 1, &long_time, 600, 0.5));
  EXPECT_FALSE(PauseBeforeRetry(options, 1, &date, 600, 0.5));
}

}  // namespace
}  // namespace unmask
