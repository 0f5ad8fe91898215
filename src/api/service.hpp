// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "feedback/faces.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

enum class AnalysisState { kQueued, kRunning, kDone, kFailed, kCancelled };

/// "queued", "running", "done", "failed" or "cancelled".
std::string_view StateName(AnalysisState state);

/// What is known of one analysis at one moment. A value: it does not change under its holder.
struct AnalysisRecord {
  std::string id;    ///< sorts by time of creation
  std::string name;  ///< a label from the client
  AnalysisState state = AnalysisState::kQueued;
  double progress = 0;                   ///< 0..1, never falls
  double created = 0;                    ///< seconds since 1970, UTC
  double started = 0;                    ///< 0 until it runs
  double finished = 0;                   ///< 0 until it ends
  double retention = 0;                  ///< seconds that it is kept after `finished`
  std::shared_ptr<const Report> report;  ///< with kDone
  std::optional<Error> error;            ///< with kFailed and kCancelled
  /// With kDone, when Job::options asked for faces: for a client who agrees that they are kept. Null when the
  /// engine keeps none, and when ServiceOptions::faces_bytes has made room for those of later analyses.
  std::shared_ptr<const FeedbackFaces> faces;

  bool ended() const { return state != AnalysisState::kQueued && state != AnalysisState::kRunning; }
};

/// What happens to analyses, for metrics: OnSubmit, then OnStart unless it was cancelled before (`started` is
/// 0 then), then OnEnd. Called on any thread.
class AnalysisObserver {
 public:
  virtual ~AnalysisObserver() = default;
  virtual void OnSubmit() = 0;  ///< it waits now
  virtual void OnStart(double queue_seconds) = 0;
  virtual void OnEnd(const AnalysisRecord& record) = 0;
};

struct ServiceOptions {
  int jobs = 1;                               ///< analyses that run at once
  int max_queue = 64;                         ///< analyses that wait; one more is kOverloaded
  int retention_count = 1000;                 ///< ended analyses kept; the oldest goes first
  std::uint64_t retention_bytes = 256 << 20;  ///< likewise, of memory for their reports; an estimate
  std::uint64_t faces_bytes = 64 << 20;  ///< of memory for AnalysisRecord::faces; the oldest go first, alone
};

/// Runs analyses and remembers them, in memory. Thread-safe.
class AnalysisService {
 public:
  /// `analyzer` and `observer` (may be null) must outlive the service.
  AnalysisService(ServiceOptions options, Analyzer& analyzer, AnalysisObserver* observer = nullptr);

  /// Cancels what runs and waits for it.
  ~AnalysisService();

  struct Job {
    PrivateFile media;  ///< deleted as soon as the analysis has ended
    std::string name;
    AnalysisOptions options;
    double retention = 3600;
    Analyzer* analyzer = nullptr;  ///< null: the service's own; must outlive the service
    /// Told in the worker's thread, after the record's own progress; let go when the analysis has ended.
    std::shared_ptr<ProgressSink> progress;
  };

  /// Whether Submit() would take a job now; kOverloaded otherwise. For refusing an upload before it is read.
  Result<void> CheckRoom() const;

  /// Queues an analysis and gives its id. kOverloaded when the queue is full or the service shuts down.
  Result<std::string> Submit(Job job);

  std::optional<AnalysisRecord> Find(const std::string& id) const;

  /// Newest first, at most `limit`, only those before the id `after` when it is not empty, and only those
  /// with the verdict when one is given.
  std::vector<AnalysisRecord> List(const std::string& after, std::size_t limit,
                                   std::optional<Verdict> verdict) const;

  /// Cancels it if it has not ended; the record stays. False when there is no such analysis.
  bool Cancel(const std::string& id);

  /// Cancels it and forgets it. False when there is no such analysis.
  bool Delete(const std::string& id);

  /// Calls `on_change` with each later state or progress of the analysis, on a worker thread or in the thread
  /// that cancels, until the handle goes (a call under way is not waited for) or the analysis has ended.
  /// Calls come one at a time; the last one has ended() true. If it has ended already, or there is none, the
  /// handle is null.
  using OnChange = std::function<void(const AnalysisRecord&)>;
  [[nodiscard]] std::shared_ptr<void> Watch(const std::string& id, OnChange on_change);

  /// Analyses that wait for a worker.
  std::size_t pending() const;

  /// Takes no more; lets what there is go on for at most `grace` seconds, then cancels the rest (their error
  /// is kOverloaded: the client may send it again) and waits for it.
  void Shutdown(double grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unmask
