// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "evaluation/archive.hpp"
#include "evaluation/dataset.hpp"

namespace unmask {

/// A sample that can be opened: by its own path or, if it comes from an archive, as a nameless copy that
/// lives as long as this.
class SampleFile {
 public:
  explicit SampleFile(std::filesystem::path path) : path_(std::move(path)) {}
  explicit SampleFile(PrivateFile copy) : path_(copy.path()), copy_(std::move(copy)) {}

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::optional<PrivateFile> copy_;
};

/// Hands out the files of a dataset in its order, reading each archive once from front to back. Thread-safe.
class SampleFiles {
 public:
  struct Item {
    std::size_t index = 0;  ///< of the sample
    Result<SampleFile> file;
  };

  /// `samples` must outlive it. Copies of at most `max_bytes` lie in `folder`.
  SampleFiles(std::span<const Sample> samples, std::filesystem::path folder, std::uint64_t max_bytes);

  /// The next `count` samples, fewer at the end, none after it. The n-th call gives the same samples
  /// whichever thread makes it.
  std::vector<Item> Take(std::size_t count);

  /// Gives each sample that is left to `work`, on `jobs` threads (0: one for each core), until `work` says
  /// false or `stop` is requested. Returns when all threads have ended.
  void ForEach(int jobs, const std::stop_token& stop, const std::function<bool(const Item&)>& work);

 private:
  Result<SampleFile> Open(const Sample& sample);
  Result<SampleFile> FromArchive(const Sample& sample);

  const std::span<const Sample> samples_;
  const std::filesystem::path folder_;
  const std::uint64_t max_bytes_;

  std::mutex mutex_;
  std::size_t next_ = 0;
  std::optional<ArchiveReader> archive_;
  std::filesystem::path archive_path_;
};

}  // namespace unmask
