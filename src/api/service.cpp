// SPDX-License-Identifier: Apache-2.0
#include "api/service.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/id.hpp"
#include "base/thread_pool.hpp"

namespace unmask {
namespace {

double Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

const Error kShuttingDown{ErrorCode::kOverloaded, "the server is shutting down", "send it again in a moment",
                          ""};
const Error kCancelled{ErrorCode::kCancelled, "the analysis was cancelled", "", ""};

std::uint64_t EstimateBytes(const AnalysisRecord& record) {
  std::uint64_t bytes = sizeof record + record.name.size();
  if (!record.report) return bytes;
  bytes += sizeof(Report) + record.report->faces.size() * (sizeof(FaceReport) + 64);
  bytes += record.report->frames.size() * sizeof(FrameReport);
  for (const auto& track : record.report->tracks) {
    bytes += sizeof track + track.segments.size() * sizeof(Segment);
    if (track.best.face) bytes += track.best.face->bgr.size();
    if (track.best.whole) bytes += track.best.whole->bgr.size();
  }
  return bytes;
}

}  // namespace

std::string_view StateName(AnalysisState state) {
  switch (state) {
    case AnalysisState::kQueued:
      return "queued";
    case AnalysisState::kRunning:
      return "running";
    case AnalysisState::kDone:
      return "done";
    case AnalysisState::kFailed:
      return "failed";
    case AnalysisState::kCancelled:
      return "cancelled";
  }
  return "failed";
}

class AnalysisService::Impl {
 public:
  Impl(ServiceOptions options, Analyzer& analyzer, AnalysisObserver* observer)
      : options_(options),
        analyzer_(analyzer),
        observer_(observer),
        // The queue's length is checked here under the lock, with cancelled entries not counted.
        pool_(std::in_place, static_cast<std::size_t>(std::max(1, options.jobs)), std::size_t{1} << 20) {}

  ~Impl() {
    Shutdown(0);
    pool_.reset();
  }

  Result<void> CheckRoom() const {
    const std::lock_guard lock(mutex_);
    return Room();
  }

  Result<std::string> Submit(Job job) {
    auto entry = std::make_shared<Entry>(std::move(job));
    entry->record.id = NewId();
    entry->record.name = entry->job->name;
    entry->record.retention = entry->job->retention;
    entry->record.created = Now();
    {
      const std::lock_guard lock(mutex_);
      if (const auto room = Room(); !room) return tl::unexpected(room.error());
      Expire();
      ++pending_;
      ++active_;
      ++unfinished_;
      entries_.emplace(entry->record.id, entry);
    }
    if (observer_) observer_->OnSubmit();
    const std::string id = entry->record.id;
    if (!pool_->TrySubmit([this, entry] { Run(*entry); })) {
      Delete(id);
      return Fail(ErrorCode::kOverloaded, "too many cancelled analyses still wait",
                  "send it again in a moment");
    }
    return id;
  }

  std::optional<AnalysisRecord> Find(const std::string& id) {
    const std::lock_guard lock(mutex_);
    Expire();
    const auto found = entries_.find(id);
    if (found == entries_.end()) return std::nullopt;
    return found->second->record;
  }

  std::vector<AnalysisRecord> List(const std::string& after, std::size_t limit,
                                   std::optional<Verdict> verdict) {
    const std::lock_guard lock(mutex_);
    Expire();
    std::vector<AnalysisRecord> page;
    const auto end = after.empty() ? entries_.end() : entries_.lower_bound(after);
    for (auto it = std::make_reverse_iterator(end); it != entries_.rend() && page.size() < limit; ++it) {
      const auto& record = it->second->record;
      if (!verdict || (record.report && record.report->verdict == *verdict)) page.push_back(record);
    }
    return page;
  }

  bool Cancel(const std::string& id) {
    std::shared_ptr<Entry> entry;
    {
      const std::lock_guard lock(mutex_);
      const auto found = entries_.find(id);
      if (found == entries_.end()) return false;
      entry = found->second;
    }
    CancelEntry(*entry, kCancelled);
    return true;
  }

  bool Delete(const std::string& id) {
    if (!Cancel(id)) return false;
    const std::lock_guard lock(mutex_);
    entries_.erase(id);
    std::erase_if(kept_, [&](const auto& entry) { return entry->record.id == id; });
    return true;
  }

  std::shared_ptr<void> Watch(const std::string& id, OnChange on_change) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second->record.ended()) return nullptr;
    auto watcher = std::make_shared<Watcher>(std::move(on_change));
    found->second->watchers.push_back(watcher);
    return watcher;
  }

  std::size_t pending() const {
    const std::lock_guard lock(mutex_);
    return pending_;
  }

  void Shutdown(double grace) {
    std::vector<std::shared_ptr<Entry>> rest;
    {
      std::unique_lock lock(mutex_);
      closing_ = true;
      ended_.wait_for(lock, std::chrono::duration<double>(grace), [this] { return unfinished_ == 0; });
      for (const auto& [id, entry] : entries_)
        if (!entry->record.ended()) rest.push_back(entry);
    }
    for (const auto& entry : rest) CancelEntry(*entry, kShuttingDown);
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return unfinished_ == 0; });
  }

 private:
  struct Watcher {
    explicit Watcher(OnChange callback) : on_change(std::move(callback)) {}
    OnChange on_change;
  };

  struct Entry {
    explicit Entry(Job j) : job(std::move(j)) {}
    AnalysisRecord record;  // guarded by mutex_, as are the watchers and the job
    std::vector<std::weak_ptr<Watcher>> watchers;
    std::optional<Job> job;   // gone when the analysis has ended
    bool claimed = false;     // by the worker that runs it or by who cancelled it first
    std::uint64_t bytes = 0;  // of memory, an estimate, when it has ended
    std::optional<Error> cancelled_because;
    std::stop_source stop;
    std::mutex notifying;  // keeps calls to watchers one at a time and in order
  };

  class Progress : public ProgressSink {
   public:
    Progress(Impl& impl, Entry& entry, ProgressSink* beside) : impl_(impl), entry_(entry), beside_(beside) {}
    void OnMedia(const MediaFacts& media) override {
      if (beside_ != nullptr) beside_->OnMedia(media);
    }
    void OnFrame(const FrameReport& frame, std::int64_t analysed) override {
      if (beside_ != nullptr) beside_->OnFrame(frame, analysed);
    }
    void OnFaces(KeptFaces kept) override {
      auto encoded = EncodeFaces(std::move(kept));
      if (!encoded) return spdlog::error("faces for feedback: {}", encoded.error().message);
      faces = std::make_shared<const FeedbackFaces>(std::move(*encoded));
    }
    void OnProgress(double done) override {
      {
        const std::lock_guard lock(impl_.mutex_);
        entry_.record.progress = std::max(entry_.record.progress, std::clamp(done, 0.0, 1.0));
      }
      impl_.Notify(entry_);
      if (beside_ != nullptr) beside_->OnProgress(done);
    }

    std::shared_ptr<const FeedbackFaces> faces;

   private:
    Impl& impl_;
    Entry& entry_;
    ProgressSink* const beside_;
  };

  Result<void> Room() const {
    if (closing_) return tl::unexpected(kShuttingDown);
    if (active_ >=
        static_cast<std::size_t>(std::max(1, options_.jobs)) + static_cast<std::size_t>(options_.max_queue))
      return Fail(ErrorCode::kOverloaded, fmt::format("{} analyses wait already", pending_),
                  "send it again in a moment");
    return {};
  }

  void Run(Entry& entry) {
    double waited = 0;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(entry.claimed, true)) return;  // cancelled while it waited
      --pending_;
      entry.record.state = AnalysisState::kRunning;
      entry.record.started = Now();
      waited = std::max(0.0, entry.record.started - entry.record.created);
    }
    if (observer_) observer_->OnStart(waited);
    Notify(entry);
    Result<Report> report = Fail(ErrorCode::kInternal, "an unexpected fault", "see the server's log");
    std::shared_ptr<const FeedbackFaces> faces;
    try {
      const Job& job = *entry.job;
      Progress progress(*this, entry, job.progress.get());
      Analyzer& analyzer = job.analyzer != nullptr ? *job.analyzer : analyzer_;
      report = analyzer.Analyze(job.media.path(), job.name, job.options, &progress, entry.stop.get_token());
      faces = std::move(progress.faces);
    } catch (const std::exception& e) {
      spdlog::error("analysis {}: {}", entry.record.id, e.what());
    }
    if (report)
      return End(entry, AnalysisState::kDone, std::make_shared<const Report>(std::move(*report)), {},
                 std::move(faces));
    if (report.error().code == ErrorCode::kInternal)
      spdlog::error("analysis {}: {}", entry.record.id, report.error().message);
    const bool cancelled = entry.stop.stop_requested() && report.error().code == ErrorCode::kCancelled;
    End(entry, cancelled ? AnalysisState::kCancelled : AnalysisState::kFailed, nullptr, report.error());
  }

  /// Once for each entry, by the one who claimed it.
  void End(Entry& entry, AnalysisState state, std::shared_ptr<const Report> report,
           std::optional<Error> error, std::shared_ptr<const FeedbackFaces> faces = nullptr) {
    AnalysisRecord ended;
    std::optional<Job> job;  // what it holds is let go without the lock
    {
      const std::lock_guard lock(mutex_);
      auto& record = entry.record;
      record.state = state;
      record.finished = Now();
      if (state == AnalysisState::kDone) record.progress = 1;
      record.report = std::move(report);
      record.faces = std::move(faces);
      record.error = std::move(error);
      if (state == AnalysisState::kCancelled && entry.cancelled_because)
        record.error = entry.cancelled_because;
      job.swap(entry.job);
      entry.bytes = EstimateBytes(record);
      --active_;
      const auto listed = entries_.find(record.id);  // unless it was deleted meanwhile
      if (listed != entries_.end()) kept_.push_back(listed->second);
      ended = record;
    }
    job.reset();
    if (observer_) observer_->OnEnd(ended);
    Notify(entry);
    // Last, so that Shutdown() returns after everybody has been told.
    const std::lock_guard lock(mutex_);
    --unfinished_;
    ended_.notify_all();
  }

  void CancelEntry(Entry& entry, const Error& because) {
    bool waits = false;
    {
      const std::lock_guard lock(mutex_);
      if (entry.record.ended() || entry.cancelled_because) return;
      entry.cancelled_because = because;
      waits = !std::exchange(entry.claimed, true);  // Run() will skip it
      if (waits) --pending_;
    }
    if (waits) return End(entry, AnalysisState::kCancelled, nullptr, because);
    entry.stop.request_stop();
  }

  void Notify(Entry& entry) {
    const std::lock_guard order(entry.notifying);
    std::vector<std::shared_ptr<Watcher>> watchers;
    AnalysisRecord record;
    {
      const std::lock_guard lock(mutex_);
      record = entry.record;
      for (const auto& weak : entry.watchers)
        if (auto watcher = weak.lock()) watchers.push_back(std::move(watcher));
      if (record.ended()) entry.watchers.clear();
    }
    for (const auto& watcher : watchers) watcher->on_change(record);
  }

  /// Forgets what has been kept long enough, and the first that ended when they are too many or too large.
  /// Needs the lock.
  void Expire() {
    const double now = Now();
    std::uint64_t bytes = 0;
    std::erase_if(kept_, [&](const std::shared_ptr<Entry>& entry) {
      const bool over = now - entry->record.finished > entry->record.retention;
      if (over) entries_.erase(entry->record.id);
      if (!over) bytes += entry->bytes;
      return over;
    });
    while (kept_.size() > static_cast<std::size_t>(options_.retention_count) ||
           (kept_.size() > 1 && bytes > options_.retention_bytes)) {
      bytes -= kept_.front()->bytes;
      entries_.erase(kept_.front()->record.id);
      kept_.pop_front();
    }
    ExpireFaces();
  }

  /// Lets the faces of the first that ended go when there are too many. Needs the lock.
  void ExpireFaces() {
    std::uint64_t bytes = 0;
    for (auto entry = kept_.rbegin(); entry != kept_.rend(); ++entry) {
      auto& faces = (*entry)->record.faces;
      if (!faces) continue;
      bytes += faces->bytes();
      if (bytes > options_.faces_bytes) faces.reset();
    }
  }

  const ServiceOptions options_;
  Analyzer& analyzer_;
  AnalysisObserver* const observer_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;  // by id, which is by time of creation
  std::deque<std::shared_ptr<Entry>> kept_;                // those that have ended, in that order
  std::size_t pending_ = 0;                                // queued
  std::size_t active_ = 0;                                 // queued or running
  std::size_t unfinished_ = 0;                             // queued, running, or telling their watchers
  bool closing_ = false;
  std::optional<ThreadPool> pool_;
};

AnalysisService::AnalysisService(ServiceOptions options, Analyzer& analyzer, AnalysisObserver* observer)
    : impl_(std::make_unique<Impl>(options, analyzer, observer)) {}
AnalysisService::~AnalysisService() = default;
Result<void> AnalysisService::CheckRoom() const { return impl_->CheckRoom(); }
Result<std::string> AnalysisService::Submit(Job job) { return impl_->Submit(std::move(job)); }
std::optional<AnalysisRecord> AnalysisService::Find(const std::string& id) const { return impl_->Find(id); }
std::vector<AnalysisRecord> AnalysisService::List(const std::string& after, std::size_t limit,
                                                  std::optional<Verdict> verdict) const {
  return impl_->List(after, limit, verdict);
}
bool AnalysisService::Cancel(const std::string& id) { return impl_->Cancel(id); }
bool AnalysisService::Delete(const std::string& id) { return impl_->Delete(id); }
std::shared_ptr<void> AnalysisService::Watch(const std::string& id, OnChange on_change) {
  return impl_->Watch(id, std::move(on_change));
}
std::size_t AnalysisService::pending() const { return impl_->pending(); }
void AnalysisService::Shutdown(double grace) { impl_->Shutdown(grace); }

}  // namespace unmask
