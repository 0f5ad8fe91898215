// SPDX-License-Identifier: Apache-2.0
#include "model/canary.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace unmask {
namespace {

// A canary that fails half of its files is not waited for.
constexpr std::size_t kFewest = 10;
// So many standard errors: chance alone takes a good canary back in one of some 700 independent windows.
constexpr double kBeyondChance = 3;

struct Moments {
  std::size_t count = 0;
  double mean = 0;
  double variance_of_mean = 0;
};

Moments MomentsOf(const std::vector<double>& values) {
  Moments moments{.count = values.size()};
  if (values.empty()) return moments;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) moments.mean += value / count;
  double squares = 0;
  for (const double value : values) squares += (value - moments.mean) * (value - moments.mean);
  if (values.size() > 1) moments.variance_of_mean = squares / (count - 1) / count;
  return moments;
}

std::vector<double> Scores(const std::deque<Judgement>& window) {
  std::vector<double> scores;
  for (const Judgement& judgement : window)
    if (judgement.score) scores.push_back(*judgement.score);
  return scores;
}

double MedianSeconds(const std::deque<Judgement>& window) {
  std::vector<double> seconds;
  for (const Judgement& judgement : window)
    if (!judgement.failed) seconds.push_back(judgement.seconds);
  if (seconds.empty()) return 0;
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

std::size_t Failures(const std::deque<Judgement>& window) {
  return static_cast<std::size_t>(std::count_if(window.begin(), window.end(),
                                                [](const Judgement& judgement) { return judgement.failed; }));
}

double Share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void CanaryWatch::Add(Window& window, const Judgement& judgement) {
  window.push_back(judgement);
  if (window.size() > kWindow) window.pop_front();
}

void CanaryWatch::AddPair(double stable_score, double canary_score) {
  shifts_.push_back(canary_score - stable_score);
  if (shifts_.size() > kWindow) shifts_.pop_front();
}

std::optional<double> CanaryWatch::Shift() const {
  if (!shifts_.empty()) return MomentsOf({shifts_.begin(), shifts_.end()}).mean;
  const Moments stable = MomentsOf(Scores(stable_));
  const Moments canary = MomentsOf(Scores(canary_));
  if (stable.count == 0 || canary.count == 0) return std::nullopt;
  return canary.mean - stable.mean;
}

std::optional<std::string> CanaryWatch::Complaint() const {
  if (auto errors = ErrorComplaint()) return errors;
  if (auto latency = LatencyComplaint()) return latency;
  return ShiftComplaint();
}

std::optional<std::string> CanaryWatch::ErrorComplaint() const {
  const std::size_t failures = Failures(canary_);
  const double rate = Share(failures, canary_.size());
  const double usual = Share(Failures(stable_), stable_.size());
  const bool enough = canary_.size() >= static_cast<std::size_t>(limits_.min_analyses);
  const bool hopeless = canary_.size() >= kFewest && rate >= 0.5 && usual < 0.25;
  if (!hopeless && (!enough || rate - usual <= limits_.max_errors)) return std::nullopt;
  return fmt::format(
      "errors: {} of {} analyses on the canary failed, {:.1f} % of those on stable (limit: {:.1f} % more)",
      failures, canary_.size(), 100 * usual, 100 * limits_.max_errors);
}

std::optional<std::string> CanaryWatch::LatencyComplaint() const {
  const auto least = static_cast<std::size_t>(limits_.min_analyses);
  if (canary_.size() < least || stable_.size() < least) return std::nullopt;
  const double stable = MedianSeconds(stable_);
  const double canary = MedianSeconds(canary_);
  if (stable <= 0 || canary <= limits_.max_latency * stable) return std::nullopt;
  return fmt::format(
      "latency: the median of {} analyses on the canary is {:.3f} s, {:.3f} s on stable (limit: {} times)",
      canary_.size(), canary, stable, limits_.max_latency);
}

std::optional<std::string> CanaryWatch::ShiftComplaint() const {
  const auto least = static_cast<std::size_t>(limits_.min_analyses);
  const bool paired = shifts_.size() >= least;
  const Moments pairs = MomentsOf({shifts_.begin(), shifts_.end()});
  const Moments stable = MomentsOf(Scores(stable_));
  const Moments canary = MomentsOf(Scores(canary_));
  if (!paired && (!shifts_.empty() || stable.count < least || canary.count < least)) return std::nullopt;
  const double shift = paired ? pairs.mean : canary.mean - stable.mean;
  const double deviation =
      std::sqrt(paired ? pairs.variance_of_mean : stable.variance_of_mean + canary.variance_of_mean);
  if (std::abs(shift) <= limits_.max_shift || std::abs(shift) <= kBeyondChance * deviation)
    return std::nullopt;
  return fmt::format("score drift: the canary's scores are {:+.3f} from stable's over {} {} (limit: {})",
                     shift, paired ? pairs.count : canary.count, paired ? "files that both scored" : "files",
                     limits_.max_shift);
}

}  // namespace unmask
