// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "face/crop.hpp"
#include "face/detectors.hpp"
#include "face/letterbox.hpp"
#include "face/quality.hpp"
#include "face/ssd.hpp"
#include "face/test_media.hpp"
#include "face/tracker.hpp"

namespace unmask {
namespace {

cv::Mat Frame(std::int64_t width) {
  Box ignored;
  return FaceInAPicture({static_cast<int>(width), static_cast<int>(width * 9 / 16)},
                        static_cast<double>(width) / 6, {static_cast<int>(width) / 3, 100}, &ignored);
}

void CompileBlazeFace(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(MakeBlazeFace({.folder = kDetectors, .threads = 1}));
}

void BlazeFaceDetect(benchmark::State& state, Effort effort) {
  const auto detector = MakeBlazeFace({.folder = kDetectors, .threads = 1}).value();
  const cv::Mat frame = Frame(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(detector->Detect(frame, effort));
}

void BlazeFaceNear(benchmark::State& state) {
  const auto detector = MakeBlazeFace({.folder = kDetectors, .threads = 1}).value();
  const cv::Mat frame = Frame(1920);
  for (auto _ : state) benchmark::DoNotOptimize(detector->DetectNear(frame, {640, 100, 230, 310}));
}

void HaarDetect(benchmark::State& state) {
  const auto detector = MakeHaar({.folder = kDetectors}).value();
  const cv::Mat frame = Frame(1920);
  for (auto _ : state) benchmark::DoNotOptimize(detector->Detect(frame));
}

void RenderInput(benchmark::State& state) {
  const cv::Mat frame = Frame(state.range(0));
  const Letterbox letterbox = FitInto(cv::Rect({0, 0}, frame.size()), cv::Size(192, 192));
  for (auto _ : state) benchmark::DoNotOptimize(Render(frame, letterbox));
}

void Suppress(benchmark::State& state) {
  std::vector<SsdFace> faces;
  for (int i = 0; i < 100; ++i)
    faces.push_back({.box = {10.0 * (i % 10) * 4, 2.0 * (i / 10), 40, 40}, .score = 0.5 + 0.004 * i});
  for (auto _ : state) benchmark::DoNotOptimize(SuppressWeighted(faces, 0.3));
}

void Crop(benchmark::State& state) {
  const cv::Mat frame = Frame(1920);
  const CropRule rule{.side_of = CropRule::SideOf::kGeometricMean, .scale = 0.97, .dx = 0, .dy = 0.066};
  for (auto _ : state)
    benchmark::DoNotOptimize(
        CropPixels(frame, CropRect({static_cast<double>(state.range(0)), 100, 230, 310}, rule)));
}

void Quality(benchmark::State& state) {
  const cv::Mat frame = Frame(1920);
  for (auto _ : state) benchmark::DoNotOptimize(MeasureQuality(frame, {.box = {640, 100, 230, 310}}));
}

void Track(benchmark::State& state) {
  std::vector<Face> faces;
  for (int i = 0; i < 32; ++i) faces.push_back({.box = {60.0 * i, 100, 50, 60}});
  Tracker tracker({});
  double time = 0;
  for (auto _ : state) benchmark::DoNotOptimize(tracker.Update(time += 0.5, faces));
}

BENCHMARK(CompileBlazeFace)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BlazeFaceDetect, quick, Effort::kQuick)
    ->Arg(640)
    ->Arg(1280)
    ->Arg(1920)
    ->Arg(3840)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BlazeFaceDetect, thorough, Effort::kThorough)
    ->Arg(640)
    ->Arg(1280)
    ->Arg(1920)
    ->Arg(3840)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BlazeFaceNear)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK(HaarDetect)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK(RenderInput)
    ->Arg(1280)
    ->Arg(1920)
    ->Arg(3840)
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(Suppress)->Unit(benchmark::kMicrosecond);
BENCHMARK(Crop)->ArgName("x")->Arg(640)->Arg(-60)->Unit(benchmark::kMicrosecond);
BENCHMARK(Quality)->Unit(benchmark::kMicrosecond);
BENCHMARK(Track)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace unmask
