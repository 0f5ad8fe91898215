// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace unmask {

/// The line of a bar, e.g. "[######--------] 42 %  3 of 10 files  clip.mp4", at most `columns` wide.
std::string DrawProgress(double done, std::size_t files_done, std::size_t files, const std::string& name,
                         int columns);

/// A bar on the last line of a terminal. Draws nothing at all when it is not enabled. Thread-safe.
class ProgressBar {
 public:
  /// `fd` is where it is drawn.
  ProgressBar(int fd, bool enabled, std::size_t files);
  ~ProgressBar();

  /// `delta` is how far the run got since the last call, in files; `name` is what is being worked on.
  void Advance(double delta, const std::string& name);

  /// One file is through.
  void FinishFile();

  /// Takes the bar away while something else is printed, until the next Advance().
  void Hide();

 private:
  void Draw(bool now);
  void Erase();

  const int fd_;
  const bool enabled_;
  const std::size_t files_;
  std::mutex mutex_;
  double done_ = 0;
  std::size_t files_done_ = 0;
  std::string name_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point drawn_at_;
};

}  // namespace unmask
