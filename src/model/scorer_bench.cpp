// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <benchmark/benchmark.h>
#include <opencv2/core.hpp>

#include "model/repository.hpp"
#include "model/scorer.hpp"

namespace unmask {
namespace {

const std::filesystem::path kModels = UNMASK_SOURCE_DIR "/models";

cv::Mat Crop(int side) {
  cv::Mat crop(side, side, CV_8UC3);
  cv::RNG random(1);
  random.fill(crop, cv::RNG::UNIFORM, 0, 256);
  return crop;
}

std::unique_ptr<Scorer> Load(const std::filesystem::path& cache) {
  return Scorer::Load(ModelRepository(kModels).Find("face").value(), {.threads = 1, .cache = cache}).value();
}

void CompileFaceModel(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Load({}));
}

void RestoreCompiledFaceModel(benchmark::State& state) {
  const auto cache = std::filesystem::temp_directory_path() / "unmask-bench-cache";
  Load(cache);
  for (auto _ : state) benchmark::DoNotOptimize(Load(cache));
  std::filesystem::remove_all(cache);
}

void PrepareCrop(benchmark::State& state) {
  const auto scorer = Load({});
  const cv::Mat crop = Crop(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(scorer->Prepare(crop));
}

void ScoreFaces(benchmark::State& state) {
  const auto scorer = Load({});
  const std::vector<PreparedFace> faces(static_cast<std::size_t>(state.range(0)), scorer->Prepare(Crop(200)));
  for (auto _ : state) benchmark::DoNotOptimize(scorer->Start(faces).get());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(CompileFaceModel)->Unit(benchmark::kMillisecond);
BENCHMARK(RestoreCompiledFaceModel)->Unit(benchmark::kMillisecond);
BENCHMARK(PrepareCrop)->Arg(200)->Arg(600)->Unit(benchmark::kMicrosecond);
BENCHMARK(ScoreFaces)->Arg(1)->Arg(8)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace unmask
