// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace unmask {

/// Wall clock since a moment, for the timings of reports.
class Stopwatch {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Stopwatch(Clock::time_point start = Clock::now()) : start_(start) {}

  double ms() const { return std::chrono::duration<double, std::milli>(Clock::now() - start_).count(); }

 private:
  Clock::time_point start_;
};

}  // namespace unmask
