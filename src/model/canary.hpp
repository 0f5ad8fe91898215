// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "unmask/serving.hpp"

namespace unmask {

/// How one analysis on one version went.
struct Judgement {
  double seconds = 0;           ///< wall clock
  std::optional<double> score;  ///< absent without a face to score, and with `failed`
  bool failed = false;  ///< an internal error; media that cannot be decoded are nobody's fault and not told
};

/// Compares a canary with the stable version, and says when it must go. Pure: the same judgements in the same
/// order give the same answer. Not thread-safe.
///
/// Files meet one or the other by the hash of their content, so both see media of the same kind, and means
/// and medians can be compared once there are enough. In the shadow both see the same files: the difference
/// within each pair says the same with fewer of them.
class CanaryWatch {
 public:
  static constexpr std::size_t kWindow = 500;  ///< newest judgements of each side that count

  explicit CanaryWatch(CanaryLimits limits) : limits_(limits) {}

  void AddStable(const Judgement& judgement) { Add(stable_, judgement); }
  void AddCanary(const Judgement& judgement) { Add(canary_, judgement); }
  /// Both versions scored one file. Beside AddStable() and AddCanary(), not instead.
  void AddPair(double stable_score, double canary_score);

  /// Canary minus stable: of the pairs when there are any, else of the means. Absent without scores.
  std::optional<double> Shift() const;

  /// Why the canary must go, a sentence with the figures and the limit; nothing while it may stay.
  std::optional<std::string> Complaint() const;

 private:
  using Window = std::deque<Judgement>;
  static void Add(Window& window, const Judgement& judgement);
  std::optional<std::string> ErrorComplaint() const;
  std::optional<std::string> LatencyComplaint() const;
  std::optional<std::string> ShiftComplaint() const;

  CanaryLimits limits_;
  Window stable_;
  Window canary_;
  std::deque<double> shifts_;  // of the pairs
};

}  // namespace unmask
