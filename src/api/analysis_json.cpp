// SPDX-License-Identifier: Apache-2.0
#include "api/analysis_json.hpp"

#include <cmath>
#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/json_value.hpp"

namespace unmask {

std::string FormatTimestamp(double seconds_since_1970) {
  const auto milliseconds = static_cast<std::int64_t>(std::floor(seconds_since_1970 * 1000));
  const std::time_t seconds = milliseconds / 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, milliseconds % 1000);
}

nlohmann::ordered_json ToJsonValue(const AnalysisRecord& record, bool faces) {
  nlohmann::ordered_json json;
  json["id"] = record.id;
  json["state"] = StateName(record.state);
  json["progress"] = std::round(record.progress * 1000) / 1000;
  json["created"] = FormatTimestamp(record.created);
  json["finished"] = nullptr;
  if (record.ended()) json["finished"] = FormatTimestamp(record.finished);
  json["report"] = nullptr;
  if (record.report) json["report"] = ToJsonValue(*record.report, JsonOptions{.faces = faces});
  json["error"] = nullptr;
  if (record.error) json["error"] = ToJsonValue(*record.error);
  return json;
}

}  // namespace unmask
