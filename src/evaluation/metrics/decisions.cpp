// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metrics/decisions.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace unmask {

ConfusionMatrix Confusion(LabelledScores samples, double threshold) {
  ConfusionMatrix matrix;
  for (const LabelledScore& sample : samples) {
    const bool called = sample.score >= threshold;
    if (sample.manipulated)
      ++(called ? matrix.true_positives : matrix.false_negatives);
    else
      ++(called ? matrix.false_positives : matrix.true_negatives);
  }
  return matrix;
}

Interval WilsonInterval(std::size_t hits, std::size_t count) {
  constexpr double kZ = 1.959963984540054;  // the normal distribution's 97.5 % quantile
  const auto n = static_cast<double>(count);
  const double share = static_cast<double>(hits) / n;
  const double middle = share + kZ * kZ / (2 * n);
  const double half = kZ * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n));
  const double scale = 1 + kZ * kZ / n;
  return {hits == 0 ? 0 : (middle - half) / scale, hits == count ? 1 : (middle + half) / scale};
}

std::vector<RiskCoveragePoint> RiskCoverage(LabelledScores samples) {
  struct Answer {
    double confidence;
    bool wrong;
  };
  std::vector<Answer> answers;
  answers.reserve(samples.size());
  for (const LabelledScore& sample : samples) {
    if (!(sample.score >= 0 && sample.score <= 1)) return {};
    answers.push_back(
        {std::max(sample.score, 1 - sample.score), (sample.score >= 0.5) != sample.manipulated});
  }
  std::sort(answers.begin(), answers.end(),
            [](const Answer& a, const Answer& b) { return a.confidence > b.confidence; });
  std::vector<RiskCoveragePoint> points;
  double wrong = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    wrong += answers[i].wrong ? 1 : 0;
    if (i + 1 < answers.size() && answers[i + 1].confidence == answers[i].confidence) continue;
    const auto answered = static_cast<double>(i + 1);
    points.push_back(
        {answered / static_cast<double>(answers.size()), wrong / answered, answers[i].confidence});
  }
  return points;
}

Figure AreaUnderRiskCoverage(LabelledScores samples) {
  if (samples.empty()) return NoFigure("no file has a score");
  const auto points = RiskCoverage(samples);
  if (points.empty()) return NoFigure("scores are no probabilities: not all are within 0..1");
  double area = 0;
  double coverage = 0;
  for (const RiskCoveragePoint& point : points) {
    area += (point.coverage - coverage) * point.risk;
    coverage = point.coverage;
  }
  return area;
}

std::vector<HistogramBin> ScoreHistogram(LabelledScores samples, int bins, double low, double high) {
  if (bins < 1 || !(high > low)) return {};
  std::vector<HistogramBin> histogram(static_cast<std::size_t>(bins));
  const double width = (high - low) / bins;
  for (int b = 0; b < bins; ++b) {
    histogram[static_cast<std::size_t>(b)].low = low + b * width;
    histogram[static_cast<std::size_t>(b)].high = low + (b + 1) * width;
  }
  for (const LabelledScore& sample : samples) {
    const double place = std::clamp((sample.score - low) / (high - low) * bins, 0.0, bins - 0.5);
    HistogramBin& bin = histogram[static_cast<std::size_t>(place)];
    ++(sample.manipulated ? bin.manipulated : bin.authentic);
  }
  return histogram;
}

}  // namespace unmask
