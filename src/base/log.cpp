// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <memory>
#include <string>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace unmask {
namespace {

constexpr auto kPlain = "%l: %v";
constexpr auto kTimed = "%Y-%m-%dT%H:%M:%S.%eZ %l: %v";

spdlog::logger& Logger() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("unmask", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(kPlain, spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::warn);
    spdlog::set_default_logger(made);  // what speaks to spdlog itself must not speak on standard output
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::off;
}

}  // namespace

Result<LogLevel> ParseLogLevel(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  if (name == "off") return LogLevel::kOff;
  return Fail(ErrorCode::kBadRequest, fmt::format("unknown log level '{}'", name),
              "use debug, info, warning, error or off");
}

void SetLogLevel(LogLevel level) { Logger().set_level(ToSpdlog(level)); }

void SetLogTimes(bool times) {
  Logger().set_pattern(times ? kTimed : kPlain, spdlog::pattern_time_type::utc);
}

bool LogEnabled(LogLevel level) { return level != LogLevel::kOff && Logger().should_log(ToSpdlog(level)); }

void LogMessage(LogLevel level, std::string_view message) {
  if (!LogEnabled(level)) return;
  std::string safe(message);
  for (char& c : safe)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  Logger().log(ToSpdlog(level), safe);
}

}  // namespace unmask
