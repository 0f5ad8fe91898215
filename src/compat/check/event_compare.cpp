// SPDX-License-Identifier: Apache-2.0
#include "compat/check/event_compare.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;
using Kind = Difference::Kind;

constexpr const char* kResult = "prediction_complete";

struct Parsed {
  std::string label;
  ordered_json arguments;
};

Parsed Parse(const CheckedEvent& event) {
  Parsed parsed{event.name, ordered_json::parse(event.arguments, nullptr, false)};
  const auto& values = parsed.arguments;
  if (event.name == "prediction_progress" && values.is_array() && !values.empty() && values[0].is_object() &&
      values[0].contains("stage") && values[0]["stage"].is_string())
    parsed.label += "/" + values[0]["stage"].get<std::string>();
  return parsed;
}

std::vector<Parsed> Parse(const std::vector<CheckedEvent>& events) {
  std::vector<Parsed> parsed;
  for (const auto& event : events) parsed.push_back(Parse(event));
  return parsed;
}

/// "a, b x3, c"
std::string Sequence(const std::vector<Parsed>& events) {
  std::string text;
  for (std::size_t i = 0; i < events.size();) {
    std::size_t end = i;
    while (end < events.size() && events[end].label == events[i].label) ++end;
    text += (text.empty() ? "" : ", ") + events[i].label;
    if (end - i > 1) text += fmt::format(" x{}", end - i);
    i = end;
  }
  return text;
}

bool SameLabels(const std::vector<Parsed>& a, const std::vector<Parsed>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Parsed& x, const Parsed& y) { return x.label == y.label; });
}

/// A payload without what names a connection and so differs by itself.
ordered_json Comparable(const Parsed& event) {
  ordered_json value = event.arguments;
  if (value.is_array() && value.size() == 1) value = ordered_json(value[0]);
  if (value.is_object() && value.contains("sid") && value["sid"].is_string()) value["sid"] = "";
  return value;
}

}  // namespace

std::optional<Judgement> ReadJudgement(const std::vector<CheckedEvent>& events) {
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    if (event->name != kResult) continue;
    const auto values = ordered_json::parse(event->arguments, nullptr, false);
    if (!values.is_array() || values.empty()) return std::nullopt;
    return ReadJudgement(Contract::kMesonetApi, values[0].dump());
  }
  return std::nullopt;
}

std::vector<Difference> CompareEvents(const std::vector<CheckedEvent>& theirs,
                                      const std::vector<CheckedEvent>& ours) {
  std::vector<Difference> found;
  const auto old_events = Parse(theirs), our_events = Parse(ours);
  if (!SameLabels(old_events, our_events))
    found.push_back({Kind::kEvents, "", Sequence(old_events), Sequence(our_events)});
  const bool same_outcome = ReadJudgement(theirs).has_value() == ReadJudgement(ours).has_value();
  if (!same_outcome)
    found.push_back({Kind::kOutcome, "", old_events.empty() ? "" : old_events.back().label,
                     our_events.empty() ? "" : our_events.back().label});
  std::map<std::string, std::vector<const Parsed*>> counterparts;
  for (auto event = our_events.rbegin(); event != our_events.rend(); ++event)
    counterparts[event->label].push_back(&*event);
  for (const auto& event : old_events) {
    auto& left = counterparts[event.label];
    if (left.empty()) continue;
    if (same_outcome || event.label != kResult)
      CompareValues(event.label, Comparable(event), Comparable(*left.back()), found);
    left.pop_back();
  }
  return found;
}

}  // namespace unmask::compat
