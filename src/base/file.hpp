// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// Opens a regular file for reading. kNotFound when it is absent; kUnreadable for a folder, device, pipe or
/// missing permission; never blocks on a pipe. The descriptor is closed on exec.
Result<UniqueFd> OpenForReading(const std::filesystem::path& path);

/// Size in bytes of an open regular file.
Result<std::uint64_t> FileSize(int fd);

/// A whole small file. kTooLarge above `limit` bytes.
Result<std::string> ReadSmallFile(const std::filesystem::path& path, std::uint64_t limit = 16 << 20);

/// Writes a file so that a reader sees either the old or the new content, never a part.
Result<void> WriteFileAtomically(const std::filesystem::path& path, std::string_view content);

/// A file's content in memory, read from the disk when it is looked at. The file must not shrink meanwhile
/// (one that is replaced by WriteFileAtomically() does not): looking at what is gone ends the program.
class MappedFile {
 public:
  /// Fails as OpenForReading() does, and with kUnreadable for an empty file.
  static Result<MappedFile> Open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();

  std::string_view bytes() const { return bytes_; }  ///< begins at a page

 private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

/// A nameless file in `folder` that vanishes when the last descriptor is closed, also when the program is
/// killed. Readable and writable by this process alone.
class PrivateFile {
 public:
  static Result<PrivateFile> Create(const std::filesystem::path& folder);

  /// The same in memory: for processes that may make no files.
  static Result<PrivateFile> InMemory();

  /// Appends. kInternal with the system's reason when the disk is full.
  Result<void> Append(std::span<const char> bytes);

  std::uint64_t size() const { return size_; }

  /// A path by which this process can open the file again while this object lives.
  std::filesystem::path path() const;

 private:
  explicit PrivateFile(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
  std::uint64_t size_ = 0;
};

}  // namespace unmask
