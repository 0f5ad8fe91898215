// SPDX-License-Identifier: Apache-2.0
#include "api/service.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "api/analysis_json.hpp"
#include "api/fake_analyzer.hpp"
#include "api/upload.hpp"

namespace unmask {
namespace {

AnalysisService::Job MakeJob(double retention = 3600) {
  auto media = PrivateFile::Create(std::filesystem::temp_directory_path());
  EXPECT_TRUE(media && media->Append(std::string_view("media")));
  return {.media = std::move(*media), .name = "clip", .options = {}, .retention = retention};
}

/// Waits until the analysis has ended.
AnalysisRecord Await(AnalysisService& service, const std::string& id) {
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  const auto watch = service.Watch(id, [&](const AnalysisRecord& record) {
    const std::lock_guard lock(mutex);
    ended = record.ended();
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  if (watch) changed.wait(lock, [&] { return ended; });
  return *service.Find(id);
}

TEST(AnalysisService, RunsAJobAndKeepsItsReport) {
  FakeAnalyzer analyzer;
  AnalysisService service({}, analyzer);
  const auto record = Await(service, *service.Submit(MakeJob()));
  EXPECT_EQ(record.state, AnalysisState::kDone);
  EXPECT_EQ(record.report->media.name, "clip");
  EXPECT_EQ(record.progress, 1);
  EXPECT_LE(record.created, record.started);
  EXPECT_LE(record.started, record.finished);
  EXPECT_EQ(analyzer.last_content, "media");
}

TEST(AnalysisService, TellsWatchersEachChangeAndTheEndLast) {
  FakeAnalyzer analyzer;
  analyzer.Close();
  AnalysisService service({}, analyzer);
  const auto id = *service.Submit(MakeJob());
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<AnalysisState> states;
  const auto watch = service.Watch(id, [&](const AnalysisRecord& record) {
    const std::lock_guard lock(mutex);
    states.push_back(record.state);
    changed.notify_all();
  });
  ASSERT_TRUE(watch);
  analyzer.Open();
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return !states.empty() && states.back() == AnalysisState::kDone; });
  EXPECT_TRUE(std::is_sorted(states.begin(), states.end()));
  EXPECT_EQ(service.Watch(id, [](const AnalysisRecord&) {}), nullptr);
  EXPECT_EQ(service.Watch("none", [](const AnalysisRecord&) {}), nullptr);
}

/// An analyzer that hands out one face of a megabyte before it ends.
class GenerousAnalyzer : public FakeAnalyzer {
 public:
  Result<Report> Analyze(const std::filesystem::path& file, const std::string& name,
                         const AnalysisOptions& options, ProgressSink* progress,
                         std::stop_token stop) override {
    KeptFace face{.track = 1, .picture = {.width = 512, .height = 512, .bgr = {}}};
    face.picture.bgr.resize(512 * 512 * 3);
    for (std::size_t i = 0; i < face.picture.bgr.size(); ++i)
      face.picture.bgr[i] = static_cast<std::uint8_t>((i * i * 31 + i * 7) >> 3);  // noise: a large JPEG
    progress->OnFaces({.crop = {}, .detector = "fake", .faces = {face}});
    return FakeAnalyzer::Analyze(file, name, options, progress, std::move(stop));
  }
};

TEST(AnalysisService, KeepsFacesWithinTheirBoundTheNewestLongest) {
  GenerousAnalyzer analyzer;
  AnalysisService plenty({}, analyzer);
  const auto record = Await(plenty, *plenty.Submit(MakeJob()));
  ASSERT_TRUE(record.faces);
  EXPECT_EQ(record.faces->faces.at(0).facts.picture.width, 512);
  const auto bytes = record.faces->bytes();
  EXPECT_GT(bytes, 100'000u);

  AnalysisService service({.faces_bytes = bytes + bytes / 2}, analyzer);
  const auto first = *service.Submit(MakeJob());
  EXPECT_TRUE(Await(service, first).faces);
  const auto second = *service.Submit(MakeJob());
  EXPECT_TRUE(Await(service, second).faces);
  EXPECT_FALSE(service.Find(first)->faces);
  EXPECT_TRUE(service.Find(first)->report) << "the report stays";
}

TEST(AnalysisService, UsesTheAnalyzerThatTheJobNames) {
  FakeAnalyzer own;
  FakeAnalyzer other;
  AnalysisService service({}, own);
  auto job = MakeJob();
  job.analyzer = &other;
  EXPECT_EQ(Await(service, *service.Submit(std::move(job))).state, AnalysisState::kDone);
  EXPECT_EQ(other.last_content, "media");
  EXPECT_EQ(own.last_content, "");
}

TEST(AnalysisService, TellsTheJobsProgressAndLetsItGo) {
  class Listener : public ProgressSink {
   public:
    explicit Listener(std::vector<std::string>& told) : told_(told) {}
    void OnMedia(const MediaFacts& media) override { told_.push_back("media " + media.name); }
    void OnFrame(const FrameReport& frame, std::int64_t analysed) override {
      told_.push_back(std::to_string(frame.faces) + " in frame " + std::to_string(analysed));
    }
    void OnProgress(double done) override { told_.push_back(std::to_string(done)); }

   private:
    std::vector<std::string>& told_;
  };
  std::vector<std::string> told;
  FakeAnalyzer analyzer;
  AnalysisService service({}, analyzer);
  auto job = MakeJob();
  job.progress = std::make_shared<Listener>(told);
  const std::weak_ptr<ProgressSink> listener = job.progress;
  Await(service, *service.Submit(std::move(job)));
  EXPECT_EQ(told, (std::vector<std::string>{"media clip", "1 in frame 1", "0.250000"}));
  EXPECT_TRUE(listener.expired());
}

TEST(AnalysisService, WhatAJobHoldsMayAskTheServiceWhenItGoes) {
  FakeAnalyzer analyzer;
  AnalysisService service({}, analyzer);
  auto job = MakeJob();
  std::size_t waiting = 99;
  class Silent : public ProgressSink {
    void OnProgress(double) override {}
  };
  job.progress = std::shared_ptr<ProgressSink>(new Silent, [&](ProgressSink* sink) {
    waiting = service.pending();
    delete sink;
  });
  Await(service, *service.Submit(std::move(job)));
  EXPECT_EQ(waiting, 0u);
}

TEST(AnalysisService, CancelsWhatRunsAndWhatWaits) {
  FakeAnalyzer analyzer;
  analyzer.Close();
  AnalysisService service({.jobs = 1}, analyzer);
  const auto runs = *service.Submit(MakeJob()), waits = *service.Submit(MakeJob());
  analyzer.AwaitStarted(1);
  EXPECT_EQ(service.pending(), 1u);
  EXPECT_TRUE(service.Cancel(waits));
  EXPECT_EQ(service.pending(), 0u);
  EXPECT_TRUE(service.Cancel(runs));
  for (const auto& id : {runs, waits}) {
    const auto record = Await(service, id);
    EXPECT_EQ(record.state, AnalysisState::kCancelled);
    EXPECT_EQ(record.error->code, ErrorCode::kCancelled);
    EXPECT_GT(record.finished, 0);
  }
  EXPECT_FALSE(service.Cancel("none"));
  EXPECT_FALSE(service.Delete("none"));
}

TEST(AnalysisService, ForgetsAfterTheRetention) {
  FakeAnalyzer analyzer;
  AnalysisService service({}, analyzer);
  const auto kept = *service.Submit(MakeJob(3600));
  Await(service, kept);
  const auto brief = *service.Submit(MakeJob(1e-9));
  while (service.Find(brief)) {
  }
  EXPECT_TRUE(service.Find(kept));
}

TEST(AnalysisService, ForgetsTheOldestWhenReportsTakeTooMuchMemory) {
  FakeAnalyzer analyzer;
  AnalysisService service({.retention_bytes = 1}, analyzer);
  const auto first = *service.Submit(MakeJob());
  Await(service, first);
  const auto second = *service.Submit(MakeJob());
  Await(service, second);
  EXPECT_FALSE(service.Find(first));
  EXPECT_TRUE(service.Find(second));
}

TEST(AnalysisService, KeepsWhatEndedLastEvenIfItBeganFirst) {
  FakeAnalyzer analyzer;
  analyzer.Close();
  AnalysisService service({.jobs = 2, .retention_count = 1}, analyzer);
  const auto first = *service.Submit(MakeJob());
  analyzer.AwaitStarted(1);
  const auto second = *service.Submit(MakeJob());
  analyzer.AwaitStarted(2);
  service.Cancel(second);
  EXPECT_EQ(Await(service, second).state, AnalysisState::kCancelled);
  analyzer.Open();
  EXPECT_EQ(Await(service, first).state, AnalysisState::kDone);
  EXPECT_FALSE(service.Find(second));
}

TEST(AnalysisService, TakesNothingAfterShutdown) {
  FakeAnalyzer analyzer;
  analyzer.Close();
  AnalysisService service({}, analyzer);
  const auto id = *service.Submit(MakeJob());
  service.Shutdown(0);
  EXPECT_EQ(service.Find(id)->error->code, ErrorCode::kOverloaded);
  EXPECT_EQ(service.CheckRoom().error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(service.Submit(MakeJob()).error().code, ErrorCode::kOverloaded);
}

TEST(FormatTimestamp, IsRfc3339InUtc) {
  EXPECT_EQ(FormatTimestamp(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatTimestamp(1709251199.9996), "2024-02-29T23:59:59.999Z");
}

TEST(CleanLabel, KeepsOnlyAName) {
  EXPECT_EQ(CleanLabel("clip.mp4"), "clip.mp4");
  EXPECT_EQ(CleanLabel("/a/b/clip.mp4"), "clip.mp4");
  EXPECT_EQ(CleanLabel("C:\\a\\clip.mp4"), "clip.mp4");
  EXPECT_EQ(CleanLabel("a\r\nb\x7f"), "a  b ");
  EXPECT_EQ(CleanLabel("a/"), "");
}

TEST(CleanLabel, CutsBetweenCharacters) {
  std::string name(254, 'n');
  EXPECT_EQ(CleanLabel(name + "\u00e9"), name);
  EXPECT_EQ(CleanLabel(name + "e\u00e9"), name + "e");
}

}  // namespace
}  // namespace unmask
