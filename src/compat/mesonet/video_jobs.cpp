// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/video_jobs.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compat/main_faces.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kBatch = 8;              // frames between two batch_complete; the contract's number
constexpr std::size_t kMaxJobsOfOneClient = 8;  // so that one cannot fill the queue
constexpr const char* kNotReady = "Detector not initialized";

}  // namespace

/// Tells the client of each stage. All but Finish() are called on the worker's thread.
class VideoJobs::Progress : public ProgressSink {
 public:
  Progress(std::shared_ptr<socketio::Socket> socket, std::shared_ptr<const MesonetRun> run)
      : socket_(std::move(socket)), run_(std::move(run)) {}

  void OnProgress(double) override {}

  void OnFrame(const FrameReport& frame, std::int64_t analysed) override {
    Begin();
    faces_ += frame.faces > 0 ? 1 : 0;
    if (analysed % kBatch == 0 && analysed < run_->requested) EmitBatch(analysed);
  }

  /// After the last frame.
  void Finish(std::size_t faces) {
    Begin();
    EmitBatch(run_->requested);
    if (faces > 0) Emit("running_prediction", {{"faces_count", faces}});
  }

 private:
  /// The frames are chosen between OnMedia() and the first OnFrame().
  void Begin() {
    if (std::exchange(begun_, true)) return;
    Emit("video_loaded",
         {{"total_frames", run_->total_frames}, {"duration", run_->duration}, {"fps", run_->fps}});
    Emit("processing_frames", {{"frames_to_process", run_->requested}});
  }

  void EmitBatch(std::int64_t processed) {
    const std::chrono::duration<double> spent = Clock::now() - began_;
    const auto left = static_cast<double>(run_->requested - processed);
    Emit("batch_complete",
         {{"processed", processed},
          {"total", run_->requested},
          {"faces_found", faces_},
          {"time_remaining", processed > 0 ? spent.count() * left / static_cast<double>(processed) : 0.0}});
  }

  void Emit(const char* stage, ordered_json facts) {
    ordered_json payload;
    payload["stage"] = stage;
    payload.update(facts);
    payload["timestamp"] = UnixTime();
    socket_->Emit("prediction_progress", payload);
  }

  const std::shared_ptr<socketio::Socket> socket_;
  const std::shared_ptr<const MesonetRun> run_;
  const Clock::time_point began_ = Clock::now();
  bool begun_ = false;
  std::int64_t faces_ = 0;
};

struct VideoJobs::Job {
  std::string id;
  std::string source;
  socketio::Ack ack;
  std::shared_ptr<MesonetRun> run = std::make_shared<MesonetRun>();
  std::shared_ptr<Progress> progress;
};

void VideoJobs::EmitError(const char* event, const std::string& message) const {
  ordered_json payload;
  payload["error"] = message;
  payload["timestamp"] = UnixTime();
  socket_->Emit(event, payload);
}

void VideoJobs::Fault(const Job& job, const std::string& message) const {
  EmitError("prediction_error", message);
  job.ack.Send(ordered_json::array());
}

void VideoJobs::Start(PrivateFile media, const std::string& source, const socketio::Ack& ack) {
  auto job = std::make_shared<Job>(Job{.id = {}, .source = source, .ack = ack});
  if (!core_->detector_ready()) return Fault(*job, kNotReady);
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return;
    if (running_.size() >= kMaxJobsOfOneClient)
      return Fault(*job, fmt::format("{} videos of this client are being analysed already", running_.size()));
  }
  const std::string from = source == "chunked_upload" ? " (from chunks)" : "";
  ordered_json started;
  started["message"] = "Starting video processing" + from;
  started["video_size"] = media.size();
  started["timestamp"] = UnixTime();
  socket_->Emit("prediction_started", started);

  ++core_->messages;
  job->progress = std::make_shared<Progress>(socket_, job->run);
  const auto& context = core_->context;
  auto id = context.service.Submit({.media = std::move(media),
                                    .name = "video",
                                    .options = MesonetOptions(job->run),
                                    .retention = context.retention,
                                    .analyzer = context.faithful.get(),
                                    .progress = job->progress});
  if (!id) return Fault(*job, id.error().message);
  job->id = std::move(*id);
  Watch(job);
}

void VideoJobs::Watch(const std::shared_ptr<Job>& job) {
  bool leaving = false;
  {
    const std::lock_guard lock(mutex_);
    leaving = cancelled_;
    if (!leaving) running_[job->id] = nullptr;  // End() may come before the handle
  }
  auto& service = core_->context.service;
  if (leaving) return static_cast<void>(service.Cancel(job->id));
  auto handle = service.Watch(job->id, [self = shared_from_this(), job](const AnalysisRecord& record) {
    if (record.ended()) self->End(job, record);
  });
  if (!handle) {  // it has ended already
    const auto record = service.Find(job->id);
    AnalysisRecord lost;
    lost.error = Error{ErrorCode::kCancelled, "the analysis was deleted", "", ""};
    return End(job, record.value_or(lost));
  }
  const std::lock_guard lock(mutex_);
  if (const auto found = running_.find(job->id); found != running_.end()) found->second = std::move(handle);
}

void VideoJobs::End(const std::shared_ptr<Job>& job, const AnalysisRecord& record) {
  std::shared_ptr<void> handle;  // let go without the lock
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(job->id);
    if (found == running_.end()) return;
    handle = std::move(found->second);
    running_.erase(found);
  }
  if (!record.report)
    return Fault(*job, record.error ? MesonetErrorText(*record.error) : "the analysis was deleted");
  job->progress->Finish(MainFaces(*record.report).size());
  socket_->Emit("prediction_complete", MesonetResult(core_->context, record, *record.report, *job->run,
                                                     {.filename = std::nullopt, .source = job->source}));
  job->ack.Send(ordered_json::array());
}

void VideoJobs::Cancel() {
  std::map<std::string, std::shared_ptr<void>> running;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    running.swap(running_);
  }
  for (const auto& [id, handle] : running) core_->context.service.Cancel(id);
}

}  // namespace unmask::compat
