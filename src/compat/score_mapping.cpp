// SPDX-License-Identifier: Apache-2.0
#include "compat/score_mapping.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unmask::compat {
namespace {

constexpr double kEdge = 1e-9;  // thresholds of 0 and 1 have no finite log-odds

double Logit(double p) { return std::log(p) - std::log1p(-p); }
double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

bool IsFake(float score, const ScoreRule& rule) {
  const double wide = static_cast<double>(score);
  // The originals compare a float32 with a Python float, that is with a double (0.7 is no float32).
  if (wide == rule.threshold) return rule.tie_is_fake;
  return (wide > rule.threshold) == rule.high_is_fake;
}

float ToServiceScore(double score, double manipulated, const ScoreRule& rule) {
  const double fake_threshold =
      std::clamp(rule.high_is_fake ? rule.threshold : 1 - rule.threshold, kEdge, 1 - kEdge);
  const double shift = Logit(fake_threshold) - Logit(std::clamp(manipulated, kEdge, 1 - kEdge));
  const double p = std::clamp(score, 0.0, 1.0);
  double fake = p;
  if (p > 0 && p < 1) fake = Sigmoid(Logit(p) + shift);
  float shown = static_cast<float>(rule.high_is_fake ? fake : 1 - fake);
  // At the threshold itself float32 may land on the wrong side: step over it.
  const bool want_fake = score >= manipulated;
  const bool fake_is_up = rule.high_is_fake;
  for (int step = 0; step < 4 && IsFake(shown, rule) != want_fake; ++step)
    shown = std::clamp(std::nextafter(shown, want_fake == fake_is_up ? 2.0f : -1.0f), 0.0f, 1.0f);
  return shown;
}

float InServiceDirection(double fake_score, const ScoreRule& rule) {
  return static_cast<float>(rule.high_is_fake ? fake_score : 1 - fake_score);
}

}  // namespace unmask::compat
