// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace unmask {

/// `wanted` threads; one for each core when that is 0 or less. At least one.
int ThreadsFor(int wanted);

/// A fixed number of threads that run tasks in the order of submission. Thread-safe. Tasks must not throw.
class ThreadPool {
 public:
  /// At most `capacity` tasks wait; running ones do not count.
  ThreadPool(std::size_t threads, std::size_t capacity);

  /// Runs the tasks that still wait, then joins.
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// False, and the task is not taken, when the queue is full.
  bool TrySubmit(std::function<void()> task);

  /// Tasks that wait.
  std::size_t waiting() const;

 private:
  void Run();

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace unmask
