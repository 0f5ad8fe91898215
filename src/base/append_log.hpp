// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/fd.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// A file of lines that only grows, open to be added to and locked until this goes: other processes that use
/// this class wait meanwhile. Not thread-safe; two objects may be open on one file in different threads.
class AppendLog {
 public:
  /// Opens it, or makes an empty one with the permissions `mode` less the umask; waits for the lock. A link,
  /// a folder or a device is refused. kUnreadable with the path and the system's reason.
  static Result<AppendLog> Open(const std::filesystem::path& path, mode_t mode);

  /// Adds `line`, which has no line end, and waits until the disk has it. All of it or nothing: after an
  /// error (a full or read-only disk: kUnreadable) the file is what it was. What a crash left of a line
  /// before is ended first, so that it spoils that one alone.
  Result<void> Append(std::string_view line);

  /// Removes what the last Append() added. When the system refuses, the line stays.
  void TakeBack();

  /// Bytes of the file now.
  Result<std::uint64_t> size() const;

 private:
  AppendLog(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::filesystem::path path_;
  UniqueFd fd_;
  off_t before_ = 0;
};

}  // namespace unmask
