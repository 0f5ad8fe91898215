// SPDX-License-Identifier: Apache-2.0
#include "feedback/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "base/append_log.hpp"
#include "base/file.hpp"
#include "base/id.hpp"
#include "feedback/faces_json.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

constexpr auto kLogFile = "feedback.jsonl";
constexpr auto kFacesFolder = "faces";
constexpr auto kFactsFile = "faces.json";
constexpr auto kPart = ".part";
constexpr auto kStale = std::chrono::hours(1);  // a part that old is of a run that was killed
constexpr mode_t kOwnFile = 0600;
constexpr mode_t kOwnFolder = 0700;
constexpr std::uint64_t kMostLog = std::uint64_t{1} << 32;

tl::unexpected<Error> CannotWrite(const fs::path& path, int error) {
  return Fail(ErrorCode::kUnreadable,
              fmt::format("{} cannot be written: {}", path.string(), std::strerror(error)),
              error == ENOSPC ? "free some disk space" : "check who owns it and its permissions");
}

Result<void> MakeFolder(const fs::path& path) {
  if (::mkdir(path.c_str(), kOwnFolder) == 0 || errno == EEXIST) return {};
  return CannotWrite(path, errno);
}

Result<void> WriteNewFile(const fs::path& path, std::string_view content) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kOwnFile));
  if (!fd) return CannotWrite(path, errno);
  while (!content.empty()) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotWrite(path, errno);
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(fd.get()) != 0) return CannotWrite(path, errno);
  return {};
}

void SyncFolder(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

std::string FolderName(const std::string& analysis, int track) {
  return fmt::format("{}-t{:02}", analysis, track);
}

std::uint64_t BytesBelow(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const auto size = at->is_regular_file(ignored) ? at->file_size(ignored) : 0;
    if (!ignored) bytes += size;
  }
  return bytes;
}

void RemoveStaleParts(const fs::path& faces) {
  std::error_code error;
  for (fs::directory_iterator at(faces, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const auto changed = fs::last_write_time(at->path(), ignored);
    if (at->path().extension() == kPart && fs::file_time_type::clock::now() - changed > kStale)
      fs::remove_all(at->path(), ignored);
  }
}

/// The faces of each person by themselves.
std::map<int, FeedbackFaces> ByTrack(const FeedbackFaces& faces) {
  std::map<int, FeedbackFaces> tracks;
  for (const FeedbackFace& face : faces.faces) {
    FeedbackFaces& track = tracks[face.facts.track];
    track.crop = faces.crop;
    track.detector = faces.detector;
    track.faces.push_back(face);
  }
  return tracks;
}

/// Writes one person's faces under a name that nobody reads yet.
Result<void> WriteFaces(const fs::path& folder, const FeedbackFaces& faces) {
  if (::mkdir(folder.c_str(), kOwnFolder) != 0) return CannotWrite(folder, errno);
  for (const FeedbackFace& face : faces.faces)
    if (auto written = WriteNewFile(folder / FaceFileName(face.facts), face.jpeg); !written) return written;
  return WriteNewFile(folder / kFactsFile, FacesToJson(faces));
}

}  // namespace

Result<std::unique_ptr<FeedbackStore>> FeedbackStore::Open(fs::path folder, std::uint64_t most_bytes) {
  if (auto made = MakeFolder(folder); !made) return tl::unexpected(made.error());
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) return CannotWrite(folder, errno);
  if (!S_ISDIR(info.st_mode)) return CannotWrite(folder, ENOTDIR);
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return Fail(ErrorCode::kForbidden,
                fmt::format("others may write into {}, where feedback is to be kept", folder.string()),
                fmt::format("chmod 700 {}", folder.string()));
  if (auto made = MakeFolder(folder / kFacesFolder); !made) return tl::unexpected(made.error());
  const auto log = AppendLog::Open(folder / kLogFile, kOwnFile);
  if (!log) return tl::unexpected(log.error());
  if (::access((folder / kFacesFolder).c_str(), W_OK | X_OK) != 0)
    return CannotWrite(folder / kFacesFolder, errno);
  RemoveStaleParts(folder / kFacesFolder);
  std::unique_ptr<FeedbackStore> store(new FeedbackStore(std::move(folder), most_bytes));
  store->bytes_ = BytesBelow(store->folder_);
  return store;
}

Result<void> FeedbackStore::Add(FeedbackRecord& record, const FeedbackFaces* faces) {
  const std::lock_guard lock(mutex_);
  const fs::path home = folder_ / kFacesFolder;
  const std::set<int> known = KeptTracks(folder_, record.analysis);
  const auto tracks = faces != nullptr ? ByTrack(*faces) : std::map<int, FeedbackFaces>();
  record.faces = 0;
  std::uint64_t added = 0;
  for (const auto& [track, own] : tracks) {
    record.faces += own.faces.size();
    if (!known.contains(track)) added += own.bytes();
  }
  const std::string line = ToLine(record);
  added += line.size() + 1;
  if (bytes_ + added > most_bytes_)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("the feedback that is kept would grow beyond {} bytes", most_bytes_),
                "the operator can export it and move it away, or raise --feedback-bytes", "feedback_bytes");

  std::vector<fs::path> made;
  const auto take_back = [&made] {
    std::error_code ignored;
    for (const fs::path& path : made) fs::remove_all(path, ignored);
  };
  for (const auto& [track, own] : tracks) {
    if (known.contains(track)) continue;
    const fs::path part = home / ("." + NewTraceId() + kPart);
    made.push_back(part);
    if (auto written = WriteFaces(part, own); !written) return take_back(), written;
    const fs::path final_name = home / FolderName(record.analysis, track);
    if (::rename(part.c_str(), final_name.c_str()) == 0) {
      made.back() = final_name;
    } else if (errno == EEXIST || errno == ENOTEMPTY) {  // another server kept them meanwhile
      std::error_code ignored;
      fs::remove_all(part, ignored);
      made.pop_back();
    } else {
      const int error = errno;
      return take_back(), CannotWrite(final_name, error);
    }
  }
  if (!made.empty()) SyncFolder(home);
  auto log = AppendLog::Open(folder_ / kLogFile, kOwnFile);
  if (!log) return take_back(), tl::unexpected(log.error());
  if (auto appended = log->Append(line); !appended) return take_back(), appended;
  bytes_ += added;
  return {};
}

Result<void> FeedbackStore::RemoveFaces(const std::string& analysis, std::optional<int> track) {
  const std::lock_guard lock(mutex_);
  for (const int kept : KeptTracks(folder_, analysis)) {
    if (track && *track != kept) continue;
    std::error_code error;
    const fs::path path = folder_ / kFacesFolder / FolderName(analysis, kept);
    const std::uint64_t bytes = BytesBelow(path);
    fs::remove_all(path, error);
    if (error)
      return Fail(ErrorCode::kUnreadable,
                  fmt::format("{} cannot be removed: {}", path.string(), error.message()),
                  "check who owns it and its permissions");
    bytes_ -= std::min(bytes, bytes_);
  }
  return {};
}

Result<FeedbackLog> ReadFeedbackLog(const fs::path& folder) {
  const auto text = ReadSmallFile(folder / kLogFile, kMostLog);
  if (!text)
    return Fail(text.error().code, fmt::format("{}: {}", (folder / kLogFile).string(), text.error().message),
                "name the folder that `unmask serve --feedback` was given");
  FeedbackLog log;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    if (end > at) {
      if (auto record = ReadLine(std::string_view(*text).substr(at, end - at)))
        log.records.push_back(std::move(*record));
      else
        ++log.damaged;
    }
    at = end + 1;
  }
  return log;
}

std::set<int> KeptTracks(const fs::path& folder, const std::string& analysis) {
  std::set<int> tracks;
  const std::string prefix = analysis + "-t";
  std::error_code error;
  for (fs::directory_iterator at(folder / kFacesFolder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const std::string digits = name.substr(prefix.size());
    if (!digits.empty() && digits.size() < 10 && digits.find_first_not_of("0123456789") == std::string::npos)
      tracks.insert(std::stoi(digits));
  }
  return tracks;
}

Result<FeedbackFaces> ReadKeptFaces(const fs::path& folder, const std::string& analysis, int track) {
  const fs::path home = folder / kFacesFolder / FolderName(analysis, track);
  const auto text = ReadSmallFile(home / kFactsFile);
  if (!text)
    return Fail(text.error().code, fmt::format("{}: {}", (home / kFactsFile).string(), text.error().message));
  auto faces = FacesFromJson(*text);
  if (!faces) return Fail(faces.error().code, fmt::format("{}: {}", home.string(), faces.error().message));
  for (FeedbackFace& face : faces->faces) {
    auto jpeg = ReadSmallFile(home / FaceFileName(face.facts));
    if (!jpeg)
      return Fail(jpeg.error().code,
                  fmt::format("{}: {}", (home / FaceFileName(face.facts)).string(), jpeg.error().message));
    face.jpeg = std::move(*jpeg);
  }
  return faces;
}

}  // namespace unmask
