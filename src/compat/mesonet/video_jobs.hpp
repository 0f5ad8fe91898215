// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/file.hpp"
#include "compat/mesonet/answers.hpp"
#include "compat/mesonet/core.hpp"
#include "socketio/server.hpp"

namespace unmask::compat {

/// The analyses of one Socket.IO client: starts them, tells it how they go, and ends them when it leaves.
/// Thread-safe.
class VideoJobs : public std::enable_shared_from_this<VideoJobs> {
 public:
  VideoJobs(std::shared_ptr<MesonetCore> core, std::shared_ptr<socketio::Socket> socket)
      : core_(std::move(core)), socket_(std::move(socket)) {}

  /// Emits prediction_started, prediction_progress and in the end prediction_complete or prediction_error,
  /// then answers `ack`. `source` is "single_upload" or "chunked_upload".
  void Start(PrivateFile media, const std::string& source, const socketio::Ack& ack);

  /// Cancels all; nothing is told any more.
  void Cancel();

  /// Emits {"error", "timestamp"}.
  void EmitError(const char* event, const std::string& message) const;

 private:
  class Progress;
  struct Job;

  void Watch(const std::shared_ptr<Job>& job);
  void End(const std::shared_ptr<Job>& job, const AnalysisRecord& record);
  void Fault(const Job& job, const std::string& message) const;

  const std::shared_ptr<MesonetCore> core_;
  const std::shared_ptr<socketio::Socket> socket_;
  std::mutex mutex_;
  bool cancelled_ = false;
  std::map<std::string, std::shared_ptr<void>> running_;  ///< by id, with what watches it
};

}  // namespace unmask::compat
