// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <limits>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/append_log.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "model/rollout.hpp"
#include "model/rollout_json.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kSchema = "unmask.rollout/1";
constexpr const char* kGateSchema = "unmask.gate/1";
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
          .reason = json.at("reason"),
          .gate = json.contains("gate") ? json.at("gate").dump() : std::string()};
}

constexpr const char* kNothingChanged =
    "labels need a model repository that this user may write; nothing was changed";

Result<AppendLog> OpenLog(const fs::path& folder) {
  auto log = AppendLog::Open(folder / "rollout.log", 0666);
  if (!log) log.error().hint = kNothingChanged;
  return log;
}

Result<void> Append(AppendLog& log, const RolloutEvent& event) {
  auto added = log.Append(ToJsonValue(event).dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  if (!added) added.error().hint = kNothingChanged;
  return added;
}

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
  if (!event.gate.empty()) json["gate"] = ordered_json::parse(event.gate, nullptr, false);
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
  auto log = OpenLog(folder_);
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
  if (auto added = Append(*log, event); !added) return tl::unexpected(added.error());
  ordered_json json = {{"schema", kSchema}};
  json.update(ToJsonValue(*to));
  if (auto written = WriteFileAtomically(folder_ / "rollout.json", json.dump(2) + "\n"); !written) {
    log->TakeBack();
    return Fail(written.error().code, written.error().message, kNothingChanged);
  }
  return to;
}

Result<void> RolloutFiles::RecordFailure(int version, const std::string& reason) const {
  auto log = OpenLog(folder_);
  if (!log) return tl::unexpected(log.error());
  const Rollout now = Read().value_or(Rollout{});
  return Append(*log, {.time = Now(),
                       .actor = "automatic",
                       .action = "failed",
                       .version = version,
                       .from = now,
                       .to = now,
                       .reason = reason});
}

Result<void> RolloutFiles::RecordGate(int version, const std::string& reason, const std::string& gate) const {
  const auto json = ordered_json::parse(gate, nullptr, false);
  if (!json.is_object() || json.value("schema", ordered_json()) != kGateSchema)
    return Fail(ErrorCode::kInternal, fmt::format("expected the decision of a gate ({})", kGateSchema));
  auto log = OpenLog(folder_);
  if (!log) return tl::unexpected(log.error());
  const Rollout now = Read().value_or(Rollout{});
  return Append(*log, {.time = Now(),
                       .actor = "cli",
                       .action = "gate",
                       .version = version,
                       .from = now,
                       .to = now,
                       .reason = reason,
                       .gate = gate});
}

Result<std::optional<bool>> RolloutFiles::GateOf(const std::string& candidate,
                                                 const std::string& stable) const {
  const auto events = Log(std::numeric_limits<std::size_t>::max());
  if (!events) return tl::unexpected(events.error());
  std::optional<bool> passed;
  for (const RolloutEvent& event : *events) {
    if (event.action != "gate") continue;
    try {
      const auto gate = ordered_json::parse(event.gate);
      if (gate.at("schema") == kGateSchema && gate.at("candidate").at("sha256") == candidate &&
          gate.at("stable").at("sha256") == stable)
        passed = gate.at("passed").get<bool>();
    } catch (const std::exception&) {  // a foreign line
    }
  }
  return passed;
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
