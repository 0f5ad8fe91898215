// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/file.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// What one entry of an archive is. Only kFile can be read.
enum class ArchiveEntryKind {
  kFile,
  kFolder,
  kUnsafeName,  ///< absolute, empty, or with a part ".."
  kOther        ///< a link, a device, a pipe
};

struct ArchiveEntry {
  std::string name;  ///< as it stands there, without a leading "./"; untrusted
  ArchiveEntryKind kind = ArchiveEntryKind::kFile;
  std::uint64_t bytes = 0;
};

/// A tar archive (ustar, pax or GNU; plain or compressed by gzip, bzip2, xz or zstd), read once from front to
/// back. Nothing is ever written under an entry's name: contents go to nameless files. Not thread-safe.
class ArchiveReader {
 public:
  /// Fails with kNotFound, kUnreadable or kUnsupportedMedia.
  static Result<ArchiveReader> Open(const std::filesystem::path& file);

  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;
  ~ArchiveReader();

  /// The next entry, nothing at the end; kUndecodable when the archive is broken or ends early, after which
  /// there is no more to read.
  Result<std::optional<ArchiveEntry>> Next();

  /// The content of the entry that Next() gave last. kTooLarge above `limit` bytes.
  Result<PrivateFile> Extract(const std::filesystem::path& folder, std::uint64_t limit);

 private:
  struct State;
  explicit ArchiveReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace unmask
