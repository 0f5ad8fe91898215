// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "model/rollout.hpp"
#include "model/rollout_json.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kSchema = "unmask.rollout/1";
constexpr off_t kLogTail = 1 << 20;  // bytes of the log that are read: some thousand changes

std::string Now() {
  const auto now = std::chrono::system_clock::now();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

std::optional<int> ReadVersion(const ordered_json& json, const char* key) {
  const auto& value = json.at(key);
  if (value.is_null()) return std::nullopt;
  const int version = value.get<int>();
  if (version < 1) throw std::runtime_error(fmt::format("{} must be 1 or more", key));
  return version;
}

/// Throws what nlohmann::json throws, or runtime_error.
Rollout ReadRollout(const ordered_json& json) {
  Rollout rollout{.stable = ReadVersion(json, "stable"),
                  .canary = ReadVersion(json, "canary"),
                  .previous = ReadVersion(json, "previous"),
                  .percent = json.at("percent"),
                  .shadow = json.at("shadow")};
  if (!(rollout.percent >= 0 && rollout.percent <= 100))
    throw std::runtime_error("percent must be in 0..100");
  if (rollout.canary && (!rollout.stable || rollout.canary == rollout.stable))
    throw std::runtime_error("a canary needs another version that is stable");
  return rollout;
}

RolloutEvent ReadEvent(const ordered_json& json) {
  return {.time = json.at("time"),
          .actor = json.at("actor"),
          .action = json.at("action"),
          .version = json.value("version", 0),
          .from = ReadRollout(json.at("from")),
          .to = ReadRollout(json.at("to")),
          .reason = json.at("reason")};
}

tl::unexpected<Error> CannotWrite(const fs::path& path, int error) {
  return Fail(ErrorCode::kUnreadable,
              fmt::format("{} cannot be written: {}", path.string(), std::strerror(error)),
              "labels need a model repository that this user may write; nothing was changed");
}

/// The log, open to be added to, locked until it goes.
class OpenLog {
 public:
  static Result<OpenLog> Open(const fs::path& path) {
    UniqueFd fd(
        ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) return CannotWrite(path, errno);
    if (!S_ISREG(info.st_mode)) return CannotWrite(path, EINVAL);
    while (::flock(fd.get(), LOCK_EX) != 0)
      if (errno != EINTR) return CannotWrite(path, errno);
    return OpenLog(path, std::move(fd));
  }

  /// All of the line or nothing of it.
  Result<void> Append(const RolloutEvent& event) {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return CannotWrite(path_, errno);
    before_ = info.st_size;
    std::string line = ToJsonValue(event).dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
    char last = '\n';  // a torn line, from a crash, must not swallow this one
    if (before_ > 0 && ::pread(fd_.get(), &last, 1, before_ - 1) == 1 && last != '\n') line.insert(0, "\n");
    const ssize_t written = ::write(fd_.get(), line.data(), line.size());
    if (written == static_cast<ssize_t>(line.size()) && ::fsync(fd_.get()) == 0) return {};
    const int error = written < 0 || written == static_cast<ssize_t>(line.size()) ? errno : ENOSPC;
    TakeBack();
    return CannotWrite(path_, error);
  }

  /// Removes what the last Append() added.
  void TakeBack() {
    if (::ftruncate(fd_.get(), before_) != 0) return;  // the line stays: it says what was attempted
  }

 private:
  OpenLog(fs::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  fs::path path_;
  UniqueFd fd_;
  off_t before_ = 0;
};

}  // namespace

ordered_json ToJsonValue(const Rollout& rollout) {
  const auto number = [](std::optional<int> version) {
    return version ? ordered_json(*version) : ordered_json(nullptr);
  };
  return {{"stable", number(rollout.stable)},
          {"canary", number(rollout.canary)},
          {"previous", number(rollout.previous)},
          {"percent", rollout.percent},
          {"shadow", rollout.shadow}};
}

ordered_json ToJsonValue(const RolloutEvent& event) {
  ordered_json json = {{"time", event.time}, {"actor", event.actor}, {"action", event.action}};
  if (event.version != 0) json["version"] = event.version;
  json["from"] = ToJsonValue(event.from);
  json["to"] = ToJsonValue(event.to);
  json["reason"] = event.reason;
  return json;
}

Result<Rollout> RolloutFiles::Read() const {
  const fs::path path = folder_ / "rollout.json";
  const auto text = ReadSmallFile(path, 1 << 16);
  if (!text && text.error().code == ErrorCode::kNotFound) return Rollout{};
  if (!text)
    return Fail(ErrorCode::kInternal, fmt::format("{}: {}", path.string(), text.error().message),
                text.error().hint);
  try {
    const ordered_json json = ordered_json::parse(*text);
    if (json.at("schema") != kSchema) throw std::runtime_error(fmt::format("schema must be \"{}\"", kSchema));
    return ReadRollout(json);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, fmt::format("{} is damaged: {}", path.string(), e.what()),
                "see `unmask model log NAME` for what was in force; write or delete the file");
  }
}

Result<Rollout> RolloutFiles::Change(std::string_view actor, std::string_view action, std::string_view reason,
                                     const std::function<Result<Rollout>(const Rollout&)>& change) const {
  auto log = OpenLog::Open(folder_ / "rollout.log");
  if (!log) return tl::unexpected(log.error());
  const auto from = Read();
  if (!from) return tl::unexpected(from.error());
  auto to = change(*from);
  if (!to) return to;
  const RolloutEvent event{.time = Now(),
                           .actor = std::string(actor),
                           .action = std::string(action),
                           .from = *from,
                           .to = *to,
                           .reason = std::string(reason)};
  if (auto added = log->Append(event); !added) return tl::unexpected(added.error());
  ordered_json json = {{"schema", kSchema}};
  json.update(ToJsonValue(*to));
  if (auto written = WriteFileAtomically(folder_ / "rollout.json", json.dump(2) + "\n"); !written) {
    log->TakeBack();
    return Fail(written.error().code, written.error().message,
                "labels need a model repository that this user may write; nothing was changed");
  }
  return to;
}

Result<void> RolloutFiles::RecordFailure(int version, const std::string& reason) const {
  auto log = OpenLog::Open(folder_ / "rollout.log");
  if (!log) return tl::unexpected(log.error());
  const Rollout now = Read().value_or(Rollout{});
  return log->Append({.time = Now(),
                      .actor = "automatic",
                      .action = "failed",
                      .version = version,
                      .from = now,
                      .to = now,
                      .reason = reason});
}

Result<std::vector<RolloutEvent>> RolloutFiles::Log(std::size_t limit) const {
  const fs::path path = folder_ / "rollout.log";
  const auto fd = OpenForReading(path);
  if (!fd && fd.error().code == ErrorCode::kNotFound) return std::vector<RolloutEvent>{};
  if (!fd) return Fail(fd.error().code, fmt::format("{}: {}", path.string(), fd.error().message));
  const auto size = FileSize(fd->get());
  if (!size) return tl::unexpected(size.error());
  const off_t begin = std::max<off_t>(0, static_cast<off_t>(*size) - kLogTail);
  std::string text(static_cast<std::size_t>(static_cast<off_t>(*size) - begin), '\0');
  const ssize_t n = ::pread(fd->get(), text.data(), text.size(), begin);
  if (n < 0) return Fail(ErrorCode::kUnreadable, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  text.resize(static_cast<std::size_t>(n));

  std::vector<RolloutEvent> events;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    try {
      events.push_back(ReadEvent(ordered_json::parse(std::string_view(text).substr(at, end - at))));
    } catch (const std::exception&) {  // a torn or foreign line
    }
    at = end + 1;
  }
  if (events.size() > limit) events.erase(events.begin(), events.end() - static_cast<std::ptrdiff_t>(limit));
  return events;
}

}  // namespace unmask
