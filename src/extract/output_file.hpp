// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/fd.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// A file that grows at its end and can be cut back to an earlier one. Not thread-safe.
class OutputFile {
 public:
  /// Opens it, or makes an empty one.
  static Result<OutputFile> Open(const std::filesystem::path& path);

  /// kInternal with the system's reason, e.g. a full disk.
  Result<void> Append(std::string_view bytes);

  /// Drops what lies behind `size`. kConflict when there is less: the file is not what it was.
  Result<void> CutTo(std::uint64_t size);

  std::uint64_t size() const { return size_; }

  /// False when another process has locked the file. The lock ends with this object.
  bool Lock() const;

 private:
  OutputFile(UniqueFd fd, std::filesystem::path path, std::uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  UniqueFd fd_;
  std::filesystem::path path_;
  std::uint64_t size_;
};

}  // namespace unmask
