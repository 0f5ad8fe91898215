// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.hpp"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "cli/terminal.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

constexpr auto kShortestTime = std::chrono::milliseconds(100);  // between two drawings
constexpr int kBarColumns = 24;

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written <= 0) return;  // a bar is not worth an error
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string DrawProgress(double done, std::size_t files_done, std::size_t files, const std::string& name,
                         int columns) {
  const double share = std::clamp(done, 0.0, 1.0);
  const int full = static_cast<int>(share * kBarColumns);
  std::string line =
      fmt::format("[{}{}] {:3} %  {} of {} {}", std::string(static_cast<std::size_t>(full), '#'),
                  std::string(static_cast<std::size_t>(kBarColumns - full), '-'),
                  static_cast<int>(share * 100), files_done, files, files == 1 ? "file" : "files");
  const auto width = static_cast<std::size_t>(std::max(columns, 1));
  const std::size_t used = DisplayWidth(line) + 2;
  if (!name.empty() && used + 8 <= width) line += "  " + Shorten(EscapeForTerminal(name), width - used);
  return Shorten(line, width);
}

ProgressBar::ProgressBar(int fd, bool enabled, std::size_t files)
    : fd_(fd), enabled_(enabled), files_(files) {
  Draw(true);
}

ProgressBar::~ProgressBar() { Hide(); }

void ProgressBar::Advance(double delta, const std::string& name) {
  if (!enabled_) return;
  const std::lock_guard lock(mutex_);
  done_ += delta;
  name_ = name;
  Draw(false);
}

void ProgressBar::FinishFile() {
  if (!enabled_) return;
  const std::lock_guard lock(mutex_);
  ++files_done_;
  Draw(false);
}

void ProgressBar::Hide() {
  if (!enabled_) return;
  const std::lock_guard lock(mutex_);
  Erase();
}

void ProgressBar::Draw(bool now) {
  if (!enabled_) return;
  const auto time = std::chrono::steady_clock::now();
  if (!now && shown_ && time - drawn_at_ < kShortestTime) return;
  drawn_at_ = time;
  // One column stays free: terminals differ in what a full line does.
  const std::string line = DrawProgress(files_ == 0 ? 0 : done_ / static_cast<double>(files_), files_done_,
                                        files_, name_, TerminalWidth(fd_, 80) - 1);
  WriteAll(fd_, "\r\x1b[K" + line);
  shown_ = true;
}

void ProgressBar::Erase() {
  if (!shown_) return;
  WriteAll(fd_, "\r\x1b[K");
  shown_ = false;
}

}  // namespace unmask
