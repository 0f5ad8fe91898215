// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace unmask {

/// Turns the first SIGINT or SIGTERM into a stop request; the second one ends the program at once. Make one
/// before any other thread: threads and child processes that start later inherit that these signals are
/// blocked, so that a Ctrl-C on the terminal reaches only this. Also makes writing to a closed pipe an error
/// instead of a signal.
class SignalWatcher {
 public:
  SignalWatcher();
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

  std::stop_token token() const { return source_.get_token(); }

  /// The same as a signal, for other reasons to stop.
  void RequestStop() { source_.request_stop(); }

  /// True once a signal came.
  bool signalled() const { return signalled_; }

 private:
  void Watch();

  std::stop_source source_;
  std::atomic<bool> signalled_ = false;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace unmask
