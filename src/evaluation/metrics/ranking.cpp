// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metrics/ranking.hpp"

#include <algorithm>
#include <limits>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

namespace unmask {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Why a metric of two classes cannot be computed; empty when it can.
std::string MissingClass(const Ranking& ranking) {
  if (ranking.manipulated() == 0 && ranking.authentic() == 0) return "no file has a score";
  if (ranking.manipulated() == 0) return "no manipulated file has a score";
  if (ranking.authentic() == 0) return "no authentic file has a score";
  return {};
}

/// How many authentic files may be called manipulated. A hair more than the product, so that 1 % of 100 is 1.
double Allowed(const Ranking& ranking, double fpr) { return std::floor(fpr * ranking.authentic() + 1e-9); }

}  // namespace

Ranking::Ranking(LabelledScores samples) : level_of_(samples.size()) {
  std::vector<std::uint32_t> order(samples.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return samples[a].score > samples[b].score; });
  labels_.reserve(samples.size());
  for (const LabelledScore& sample : samples) labels_.push_back(sample.manipulated);
  for (const std::uint32_t i : order) {
    if (levels_.empty() || levels_.back().score != samples[i].score)
      levels_.push_back({.score = samples[i].score});
    level_of_[i] = static_cast<std::uint32_t>(levels_.size() - 1);
    (samples[i].manipulated ? levels_.back().manipulated : levels_.back().authentic) += 1;
  }
  CountTotals();
}

Ranking Ranking::Reweighted(std::span<const std::uint32_t> weights) const {
  Ranking result;
  result.levels_ = levels_;
  for (Level& level : result.levels_) level.manipulated = level.authentic = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    Level& level = result.levels_[level_of_[i]];
    (labels_[i] ? level.manipulated : level.authentic) += weights[i];
  }
  result.CountTotals();
  return result;
}

void Ranking::CountTotals() {
  for (const Level& level : levels_) {
    manipulated_ += level.manipulated;
    authentic_ += level.authentic;
  }
}

Figure Auc(const Ranking& ranking) {
  if (auto missing = MissingClass(ranking); !missing.empty()) return NoFigure(std::move(missing));
  double above = 0;  // manipulated files with a higher score
  double pairs = 0;
  for (const Ranking::Level& level : ranking.levels()) {
    pairs += level.authentic * (above + level.manipulated / 2);
    above += level.manipulated;
  }
  return pairs / (ranking.manipulated() * ranking.authentic());
}

Figure AveragePrecision(const Ranking& ranking) {
  if (ranking.manipulated() == 0) return NoFigure("no manipulated file has a score");
  double found = 0;
  double called = 0;
  double sum = 0;
  for (const Ranking::Level& level : ranking.levels()) {
    found += level.manipulated;
    called += level.manipulated + level.authentic;
    if (level.manipulated > 0) sum += level.manipulated * found / called;
  }
  return sum / ranking.manipulated();
}

Figure EqualErrorRate(const Ranking& ranking) {
  if (auto missing = MissingClass(ranking); !missing.empty()) return NoFigure(std::move(missing));
  double fpr = 0;
  double gap = -1;  // fpr - miss rate; rises from -1 to 1
  double found = 0;
  double alarms = 0;
  for (const Ranking::Level& level : ranking.levels()) {
    found += level.manipulated;
    alarms += level.authentic;
    const double next_fpr = alarms / ranking.authentic();
    const double next_gap = next_fpr - (1 - found / ranking.manipulated());
    if (next_gap == 0) return next_fpr;
    if (next_gap > 0) return fpr + gap / (gap - next_gap) * (next_fpr - fpr);
    fpr = next_fpr;
    gap = next_gap;
  }
  return fpr;
}

Figure TprAtFpr(const Ranking& ranking, double fpr) {
  if (auto missing = MissingClass(ranking); !missing.empty()) return NoFigure(std::move(missing));
  const double allowed = Allowed(ranking, fpr);
  double found = 0;
  double alarms = 0;
  for (const Ranking::Level& level : ranking.levels()) {
    alarms += level.authentic;
    if (alarms > allowed) break;
    found += level.manipulated;
  }
  return found / ranking.manipulated();
}

Figure ThresholdAtFpr(const Ranking& ranking, double fpr) {
  if (auto missing = MissingClass(ranking); !missing.empty()) return NoFigure(std::move(missing));
  const double allowed = Allowed(ranking, fpr);
  double above = kInfinity;
  double alarms = 0;
  for (const Ranking::Level& level : ranking.levels()) {
    alarms += level.authentic;
    if (alarms > allowed)
      return above == kInfinity ? std::nextafter(level.score, kInfinity)
                                : level.score + (above - level.score) / 2;
    if (level.manipulated + level.authentic > 0) above = level.score;
  }
  return -kInfinity;
}

std::vector<RocPoint> RocCurve(const Ranking& ranking) {
  if (!MissingClass(ranking).empty()) return {};
  std::vector<RocPoint> points{{0, 0, kInfinity}};
  double found = 0;
  double alarms = 0;
  const auto turns = [](const RocPoint& a, const RocPoint& b, double fpr, double tpr) {
    return (b.fpr - a.fpr) * (tpr - b.tpr) != (b.tpr - a.tpr) * (fpr - b.fpr);
  };
  for (const Ranking::Level& level : ranking.levels()) {
    found += level.manipulated;
    alarms += level.authentic;
    const double fpr = alarms / ranking.authentic();
    const double tpr = found / ranking.manipulated();
    if (points.size() >= 2) {
      const RocPoint& last = points.back();
      const RocPoint& before = points[points.size() - 2];
      const bool along =
          (before.fpr == last.fpr && last.fpr == fpr) || (before.tpr == last.tpr && last.tpr == tpr);
      if (along || !turns(before, last, fpr, tpr)) points.pop_back();
    }
    points.push_back({fpr, tpr, level.score});
  }
  return points;
}

double NormalDeviate(double p) {
  constexpr double kA[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                           1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double kB[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                           6.680131188771972e+01, -1.328068155288572e+01};
  constexpr double kC[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                           -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double kD[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                           3.754408661907416e+00};
  const auto tail = [&](double q) {
    return (((((kC[0] * q + kC[1]) * q + kC[2]) * q + kC[3]) * q + kC[4]) * q + kC[5]) /
           ((((kD[0] * q + kD[1]) * q + kD[2]) * q + kD[3]) * q + 1);
  };
  constexpr double kTail = 0.02425;
  double x = 0;
  if (p < kTail) {
    x = tail(std::sqrt(-2 * std::log(p)));
  } else if (p > 1 - kTail) {
    x = -tail(std::sqrt(-2 * std::log(1 - p)));
  } else {
    const double q = p - 0.5;
    const double r = q * q;
    x = (((((kA[0] * r + kA[1]) * r + kA[2]) * r + kA[3]) * r + kA[4]) * r + kA[5]) * q /
        (((((kB[0] * r + kB[1]) * r + kB[2]) * r + kB[3]) * r + kB[4]) * r + 1);
  }
  const double error = 0.5 * std::erfc(-x / std::numbers::sqrt2) - p;
  const double u = error * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  return x - u / (1 + x * u / 2);
}

}  // namespace unmask
