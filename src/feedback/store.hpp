// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "feedback/faces.hpp"
#include "feedback/record.hpp"

namespace unmask {

/// A folder with what people said of analyses, and with faces to learn from:
///
///   feedback.jsonl           a line each (record.hpp), in order of time; only ever added to
///   faces/ANALYSIS-tNN/      the faces of one person: faces.json, and a JPEG each
///
/// All of it is readable by the owner alone. The faces of a person appear whole (a folder is renamed to its
/// name) and before the line that speaks of them; after a crash between the two they are unused and lie there
/// until the next feedback of that analysis. Several servers may share the folder. Thread-safe.
class FeedbackStore {
 public:
  /// Opens or makes the folder. kUnreadable when that does not work or nothing can be written there
  /// (read-only, full), kForbidden when others than the owner may write into it. `most_bytes`: no more is
  /// taken in beyond that; faces and lines of earlier runs count.
  static Result<std::unique_ptr<FeedbackStore>> Open(std::filesystem::path folder, std::uint64_t most_bytes);

  /// Keeps a feedback, and with `faces` (may be null) these, but for people whose faces are kept already.
  /// Sets record.faces. All of it or nothing: kUnreadable when the disk is full or read-only, kLimitExceeded
  /// ("feedback_bytes") when the folder is full.
  Result<void> Add(FeedbackRecord& record, const FeedbackFaces* faces);

  /// Removes the faces of an analysis, of one track or of all. Fails when some cannot be removed.
  Result<void> RemoveFaces(const std::string& analysis, std::optional<int> track);

 private:
  FeedbackStore(std::filesystem::path folder, std::uint64_t most_bytes)
      : folder_(std::move(folder)), most_bytes_(most_bytes) {}

  const std::filesystem::path folder_;
  const std::uint64_t most_bytes_;
  std::mutex mutex_;
  std::uint64_t bytes_ = 0;  // guarded by mutex_: of this folder, as far as this process knows
};

/// The feedback of a folder, in order of time, with the number of lines that are damaged.
struct FeedbackLog {
  std::vector<FeedbackRecord> records;
  std::size_t damaged = 0;
};

/// Reads feedback.jsonl. kNotFound when there is none.
Result<FeedbackLog> ReadFeedbackLog(const std::filesystem::path& folder);

/// The tracks of an analysis whose faces a folder holds.
std::set<int> KeptTracks(const std::filesystem::path& folder, const std::string& analysis);

/// The kept faces of one person. kNotFound when there are none, kInternal when they are damaged.
Result<FeedbackFaces> ReadKeptFaces(const std::filesystem::path& folder, const std::string& analysis,
                                    int track);

}  // namespace unmask
