// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metrics/probability.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace unmask {
namespace {

constexpr double kLeastProbability = 1e-12;

double WeightOf(Weights weights, std::size_t i) { return weights.empty() ? 1 : weights[i]; }

/// Why these are no probabilities; empty when they are.
std::string Trouble(LabelledScores samples) {
  if (samples.empty()) return "no file has a score";
  for (const LabelledScore& sample : samples)
    if (!(sample.score >= 0 && sample.score <= 1))
      return fmt::format("scores are no probabilities: {:.6g} is not within 0..1", sample.score);
  return {};
}

template <typename Loss>
Figure Mean(LabelledScores samples, Weights weights, Loss loss) {
  if (auto trouble = Trouble(samples); !trouble.empty()) return NoFigure(std::move(trouble));
  double sum = 0;
  double count = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    sum += WeightOf(weights, i) * loss(samples[i]);
    count += WeightOf(weights, i);
  }
  if (count == 0) return NoFigure("no file has a score");
  return sum / count;
}

}  // namespace

Figure LogLoss(LabelledScores samples, Weights weights) {
  return Mean(samples, weights, [](const LabelledScore& sample) {
    const double p = std::clamp(sample.score, kLeastProbability, 1 - kLeastProbability);
    return -std::log(sample.manipulated ? p : 1 - p);
  });
}

Figure BrierScore(LabelledScores samples, Weights weights) {
  return Mean(samples, weights, [](const LabelledScore& sample) {
    const double difference = sample.score - (sample.manipulated ? 1 : 0);
    return difference * difference;
  });
}

std::vector<ReliabilityBin> ReliabilityDiagram(LabelledScores samples, int bins, Weights weights) {
  if (bins < 1 || !Trouble(samples).empty()) return {};
  std::vector<ReliabilityBin> diagram(static_cast<std::size_t>(bins));
  for (int b = 0; b < bins; ++b) {
    diagram[static_cast<std::size_t>(b)].low = static_cast<double>(b) / bins;
    diagram[static_cast<std::size_t>(b)].high = static_cast<double>(b + 1) / bins;
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const int place = std::min(static_cast<int>(samples[i].score * bins), bins - 1);
    ReliabilityBin& bin = diagram[static_cast<std::size_t>(place)];
    const double weight = WeightOf(weights, i);
    bin.count += weight;
    bin.mean_score += weight * samples[i].score;
    bin.share_manipulated += weight * (samples[i].manipulated ? 1 : 0);
  }
  for (ReliabilityBin& bin : diagram)
    if (bin.count > 0) {
      bin.mean_score /= bin.count;
      bin.share_manipulated /= bin.count;
    }
  return diagram;
}

Figure ExpectedCalibrationError(LabelledScores samples, int bins, Weights weights) {
  if (auto trouble = Trouble(samples); !trouble.empty()) return NoFigure(std::move(trouble));
  double sum = 0;
  double count = 0;
  for (const ReliabilityBin& bin : ReliabilityDiagram(samples, bins, weights)) {
    sum += bin.count * std::abs(bin.mean_score - bin.share_manipulated);
    count += bin.count;
  }
  if (count == 0) return NoFigure("no file has a score");
  return sum / count;
}

}  // namespace unmask
