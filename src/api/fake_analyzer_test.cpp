// SPDX-License-Identifier: Apache-2.0
#include "api/fake_analyzer.hpp"

#include "base/file.hpp"

namespace unmask {

Result<Report> FakeAnalyzer::Analyze(const std::filesystem::path& file, const std::string& name,
                                     const AnalysisOptions& options, ProgressSink* progress,
                                     std::stop_token stop) {
  const auto content = ReadSmallFile(file);
  std::unique_lock lock(mutex_);
  last_content = content ? *content : "unreadable: " + content.error().message;
  last_options = options;
  ++started_;
  changed_.notify_all();
  lock.unlock();
  if (progress) {
    progress->OnMedia({.name = name, .frames = 30});
    progress->OnFrame({.index = 0, .time = 0, .faces = 1}, 1);
    progress->OnProgress(0.25);
  }
  lock.lock();
  const bool opened = changed_.wait(lock, stop, [this] { return open_; });
  ++returned_;
  changed_.notify_all();
  if (!opened) return Fail(ErrorCode::kCancelled, "the analysis was cancelled");
  if (result) return result(last_content);
  return MakeReport(name);
}

void FakeAnalyzer::SetOpen(bool open) {
  const std::lock_guard lock(mutex_);
  open_ = open;
  changed_.notify_all();
}

void FakeAnalyzer::AwaitStarted(int n) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return started_ >= n; });
}

void FakeAnalyzer::AwaitReturned(int n) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return returned_ >= n; });
}

Report FakeAnalyzer::MakeReport(const std::string& name) {
  Report report;
  report.media.name = name;
  report.verdict = Verdict::kManipulated;
  report.score = 0.97;
  report.logit = 3.5;
  report.thresholds = {.manipulated = 0.92, .clear = 0.35, .fpr_at_manipulated = 0.01};
  auto picture = std::make_shared<Picture>();
  picture->width = 4;
  picture->height = 2;
  picture->bgr.assign(24, 128);
  TrackReport track;
  track.id = 1;
  track.verdict = Verdict::kManipulated;
  track.best.face = picture;
  track.best.face_region = {10, 10, 4, 2};
  track.best.heat =
      std::make_shared<HeatMap>(HeatMap{.width = 1, .height = 1, .values = {1}, .region = {10, 10, 4, 2}});
  report.tracks.push_back(track);
  for (int i = 0; i < 3; ++i) {
    FaceReport face;
    face.track = 1;
    face.frame = i;
    report.faces.push_back(face);
  }
  report.sampling.faces_found = 3;
  report.sampling.frames_decoded = 30;
  return report;
}

}  // namespace unmask
