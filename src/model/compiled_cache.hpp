// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/file.hpp"

namespace unmask {

/// Networks as the engine compiled them, kept in a folder so that the next start need not compile them again.
///
/// Never fails: what cannot be read or written is compiled anew. An entry is written whole or not at all and
/// carries its hash, so that a torn or damaged one counts as absent. A compiled network decides verdicts: a
/// folder that belongs to another user, or that others may write, is not used. Any number of processes may
/// share a folder. Thread-safe.
class CompiledCache {
 public:
  /// Keeps nothing when `folder` is empty. The folder is made, for this user alone, by the first Write().
  explicit CompiledCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  class Entry {
   public:
    explicit Entry(MappedFile file) : file_(std::move(file)) {}
    std::string_view content() const { return file_.bytes().substr(kHeader); }  ///< aligned to 64 bytes

   private:
    MappedFile file_;
  };

  /// What Write() was given for the same key. The key names all that the content depends on.
  std::optional<Entry> Read(std::string_view key) const;

  /// Keeps `content`, and of all entries the 16 newest.
  void Write(std::string_view key, std::string_view content) const;

 private:
  static constexpr std::size_t kHeader = 64;  ///< bytes before the content: its SHA-256 in hexadecimal

  std::filesystem::path FileOf(std::string_view key) const;

  std::filesystem::path folder_;
};

/// Where a user's programs keep what they can make again: $XDG_CACHE_HOME/unmask or $HOME/.cache/unmask (XDG
/// Base Directory Specification 0.8). Empty when neither variable is an absolute path.
std::filesystem::path DefaultCacheFolder();

}  // namespace unmask
