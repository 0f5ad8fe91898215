// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "http/server.hpp"

namespace unmask::socketio {

/// Runs tasks one after another, in order, on the threads of a pool; between two of them others get their
/// turn. Thread-safe. Lives until its tasks have run.
class SerialQueue : public std::enable_shared_from_this<SerialQueue> {
 public:
  /// Both must outlive the last task.
  SerialQueue(http::Tasks& pool, http::Timers& timers) : pool_(pool), timers_(timers) {}

  void Push(std::function<void()> task);

 private:
  void Schedule();
  void RunOne();

  http::Tasks& pool_;
  http::Timers& timers_;
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  bool scheduled_ = false;
  std::shared_ptr<void> retry_;
};

}  // namespace unmask::socketio
