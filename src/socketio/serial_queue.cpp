// SPDX-License-Identifier: Apache-2.0
#include "socketio/serial_queue.hpp"

#include <exception>
#include <utility>

#include <spdlog/spdlog.h>

namespace unmask::socketio {
namespace {

constexpr double kRetrySeconds = 0.05;  // when the pool takes no more

}  // namespace

void SerialQueue::Push(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (std::exchange(scheduled_, true)) return;
  }
  Schedule();
}

void SerialQueue::Schedule() {
  if (pool_.Submit([self = shared_from_this()] { self->RunOne(); })) return;
  auto retry = timers_.After(kRetrySeconds, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->Schedule();
  });
  const std::lock_guard lock(mutex_);
  retry_ = std::move(retry);
}

void SerialQueue::RunOne() {
  std::function<void()> task;
  {
    const std::lock_guard lock(mutex_);
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  try {
    task();
  } catch (const std::exception& e) {
    spdlog::error("in a Socket.IO handler: {}", e.what());
  }
  task = {};  // what it held goes before the next begins
  {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) {
      scheduled_ = false;
      return;
    }
  }
  Schedule();
}

}  // namespace unmask::socketio
