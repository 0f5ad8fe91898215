// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "analysis/judge.hpp"

namespace unmask {
namespace {

/// A clip of `frames` samples with `people` faces in each.
Report Clip(int frames, int people) {
  Report report;
  report.sampling.frames_analysed = frames;
  for (int i = 0; i < frames; ++i)
    for (int person = 1; person <= people; ++person)
      report.faces.push_back(
          {.track = person, .frame = 15 * i, .time = 0.5 * i, .score = 0.4, .logit = -0.4, .used = true});
  return report;
}

void JudgeClip(benchmark::State& state) {
  Report report = Clip(256, static_cast<int>(state.range(0)));
  const OperatingPoints points{
      .face = {.thresholds = {.manipulated = 0.9, .clear = 0.5, .fpr_at_manipulated = 0.01}}};
  for (auto _ : state) {
    JudgeReport(report, points);
    benchmark::DoNotOptimize(report.verdict);
  }
}

BENCHMARK(JudgeClip)->Arg(1)->Arg(16)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace unmask
