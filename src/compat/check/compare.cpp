// SPDX-License-Identifier: Apache-2.0
#include "compat/check/compare.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "compat/check/judgement.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;
using Kind = Difference::Kind;

constexpr const char* kHeaders[] = {"Content-Type",
                                    "Access-Control-Allow-Origin",
                                    "Access-Control-Allow-Credentials",
                                    "Vary",
                                    "WWW-Authenticate",
                                    "Location"};
constexpr std::size_t kMaxShown = 120;  // bytes of a value

std::string Shown(const ordered_json& value) {
  auto text = value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  if (text.size() > kMaxShown) text = text.substr(0, kMaxShown) + "...";
  return text;
}

const char* TypeName(const ordered_json& value) {
  switch (value.type()) {
    case ordered_json::value_t::null:
      return "null";
    case ordered_json::value_t::boolean:
      return "boolean";
    case ordered_json::value_t::number_integer:
    case ordered_json::value_t::number_unsigned:
      return "whole number";
    case ordered_json::value_t::number_float:
      return "number with a fraction";
    case ordered_json::value_t::string:
      return "string";
    case ordered_json::value_t::array:
      return "array";
    default:
      return "object";
  }
}

/// Those of `object` that `other` has, too, in the order of `object`.
std::vector<std::string> CommonKeys(const ordered_json& object, const ordered_json& other) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items())
    if (other.contains(key)) keys.push_back(key);
  return keys;
}

class Comparison {
 public:
  explicit Comparison(std::vector<Difference>& found) : found_(found) {}

  void Values(const std::string& where, const ordered_json& theirs, const ordered_json& ours) {
    const std::string_view type = TypeName(theirs);
    if (type != TypeName(ours))
      return Add(Kind::kType, where, fmt::format("{} ({})", type, Shown(theirs)),
                 fmt::format("{} ({})", TypeName(ours), Shown(ours)));
    if (theirs.is_object()) return Objects(where, theirs, ours);
    if (theirs.is_array()) return Arrays(where, theirs, ours);
    if (theirs.is_string() && theirs != ours) Add(Kind::kText, where, Shown(theirs), Shown(ours));
  }

  void Add(Kind kind, const std::string& where, const std::string& theirs, const std::string& ours) {
    const bool known = std::any_of(found_.begin(), found_.end(),
                                   [&](const Difference& d) { return d.kind == kind && d.where == where; });
    if (!known) found_.push_back({kind, where, theirs, ours});
  }

 private:
  void Objects(const std::string& where, const ordered_json& theirs, const ordered_json& ours) {
    const std::string prefix = where.empty() ? "" : where + ".";
    for (const auto& [key, value] : theirs.items()) {
      if (ours.contains(key))
        Values(prefix + key, value, ours.at(key));
      else
        Add(Kind::kMissing, prefix + key, Shown(value), "");
    }
    for (const auto& [key, value] : ours.items())
      if (!theirs.contains(key)) Add(Kind::kAdded, prefix + key, "", Shown(value));
    const auto old_order = CommonKeys(theirs, ours), our_order = CommonKeys(ours, theirs);
    if (old_order != our_order)
      Add(Kind::kOrder, where, fmt::format("{}", fmt::join(old_order, ", ")),
          fmt::format("{}", fmt::join(our_order, ", ")));
  }

  void Arrays(const std::string& where, const ordered_json& theirs, const ordered_json& ours) {
    if (theirs.size() != ours.size())
      Add(Kind::kLength, where, std::to_string(theirs.size()), std::to_string(ours.size()));
    for (std::size_t i = 0; i < std::min(theirs.size(), ours.size()); ++i)
      Values(where + "[]", theirs[i], ours[i]);
  }

  std::vector<Difference>& found_;
};

void CompareHeaders(const CheckedAnswer& theirs, const CheckedAnswer& ours, Comparison& comparison) {
  for (const char* name : kHeaders) {
    const auto* a = theirs.headers.Find(name);
    const auto* b = ours.headers.Find(name);
    if (!a && !b) continue;
    if (a && b && http::EqualsIgnoreCase(*a, *b)) continue;
    comparison.Add(Kind::kHeader, name, a ? *a : "", b ? *b : "");
  }
}

std::string Outcome(const std::optional<Judgement>& judgement, const std::string& body) {
  if (judgement) return fmt::format("{} {:.4f}", judgement->label, judgement->score);
  return body.size() > kMaxShown ? body.substr(0, kMaxShown) + "..." : body;
}

}  // namespace

const char* DifferenceName(Kind kind) {
  switch (kind) {
    case Kind::kStatus:
      return "status";
    case Kind::kHeader:
      return "header";
    case Kind::kFormat:
      return "format";
    case Kind::kMissing:
      return "missing";
    case Kind::kOrder:
      return "order";
    case Kind::kType:
      return "type";
    case Kind::kEvents:
      return "events";
    case Kind::kOutcome:
      return "outcome";
    case Kind::kLength:
      return "length";
    case Kind::kText:
      return "text";
    case Kind::kAdded:
      return "added";
  }
  return "";
}

void CompareValues(const std::string& where, const ordered_json& theirs, const ordered_json& ours,
                   std::vector<Difference>& found) {
  Comparison(found).Values(where, theirs, ours);
}

std::vector<Difference> CompareAnswers(Contract contract, const CheckedAnswer& theirs,
                                       const CheckedAnswer& ours) {
  std::vector<Difference> found;
  Comparison comparison(found);
  if (theirs.status != ours.status)
    comparison.Add(Kind::kStatus, "", std::to_string(theirs.status), std::to_string(ours.status));
  CompareHeaders(theirs, ours, comparison);

  const auto old_judgement = ReadJudgement(contract, theirs.body);
  const auto our_judgement = ReadJudgement(contract, ours.body);
  if (old_judgement.has_value() != our_judgement.has_value()) {
    comparison.Add(Kind::kOutcome, "", Outcome(old_judgement, theirs.body),
                   Outcome(our_judgement, ours.body));
    return found;  // what stands in a refusal and what in a verdict are two shapes by themselves
  }
  const auto a = ordered_json::parse(theirs.body, nullptr, false);
  const auto b = ordered_json::parse(ours.body, nullptr, false);
  if (a.is_discarded() != b.is_discarded())
    comparison.Add(Kind::kFormat, "", a.is_discarded() ? "no JSON" : "JSON",
                   b.is_discarded() ? "no JSON" : "JSON");
  else if (!a.is_discarded())
    comparison.Values("", a, b);
  else if (theirs.body != ours.body)
    comparison.Add(Kind::kText, "", Outcome({}, theirs.body), Outcome({}, ours.body));
  return found;
}

}  // namespace unmask::compat
