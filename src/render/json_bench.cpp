// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "render/json.hpp"

namespace unmask {
namespace {

void ReportToJson(benchmark::State& state) {
  Report report;
  report.media.name = "clip.mp4";
  report.tracks.resize(4);
  report.faces.resize(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(ToJson(report, {.faces = true}));
}

BENCHMARK(ReportToJson)->Arg(25)->Arg(4096)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace unmask
