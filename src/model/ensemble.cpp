// SPDX-License-Identifier: Apache-2.0
#include "model/ensemble.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace unmask {
namespace {

using nlohmann::json;

constexpr std::size_t kMostMembers = 16;  // each costs every face as much as a model alone

tl::unexpected<Error> Wrong(const std::string& what) {
  return Fail(ErrorCode::kBadRequest, "ensemble" + what,
              "see docs/ensemble.md, or make it again with `unmask model ensemble`");
}

std::string NameOf(const EnsembleMember& member) { return fmt::format("{}:{}", member.name, member.version); }

Result<EnsembleMember> ReadMember(const json& item) {
  if (!item.is_object() || !item.contains("model") || !item["model"].is_string() ||
      !item.contains("version") || !item["version"].is_number_integer())
    return Wrong(
        ".members must hold objects like {\"model\": \"face\", \"version\": 1, \"sha256\": \"...\"}");
  const auto version = item["version"].get<std::int64_t>();
  if (version < 1 || version > std::numeric_limits<int>::max())
    return Wrong(fmt::format(".members has the version {} (expected 1 or more)", version));
  EnsembleMember member{.name = item["model"], .version = static_cast<int>(version), .sha256 = {}};
  if (member.name.empty() || member.name.front() == '.' || member.name.find('/') != std::string::npos)
    return Wrong(
        fmt::format(".members names the model '{}' (expected a name of the repository)", member.name));
  if (item.contains("sha256") && !item["sha256"].is_null()) {
    if (!item["sha256"].is_string() || item["sha256"].get_ref<const std::string&>().size() != 64)
      return Wrong(fmt::format(".members: the sha256 of {} must have 64 hexadecimal digits", NameOf(member)));
    member.sha256 = item["sha256"];
  }
  return member;
}

Result<std::vector<EnsembleMember>> ReadMembers(const json& list) {
  if (!list.is_array() || list.size() < 2 || list.size() > kMostMembers)
    return Wrong(fmt::format(".members must name 2 to {} models, found {}", kMostMembers,
                             list.is_array() ? std::to_string(list.size()) : list.type_name()));
  std::vector<EnsembleMember> members;
  for (const json& item : list) {
    auto member = ReadMember(item);
    if (!member) return tl::unexpected(member.error());
    for (const EnsembleMember& other : members)
      if (NameOf(other) == NameOf(*member))
        return Wrong(fmt::format(".members names {} twice: give it a higher weight instead", NameOf(other)));
    members.push_back(std::move(*member));
  }
  return members;
}

Result<Combination> ReadCombination(const json& item, std::size_t members) {
  const std::string method = item.is_object() && item.contains("method") && item["method"].is_string()
                                 ? item["method"].get<std::string>()
                                 : "";
  if (method == "mean_logit") return MeanOf(members);
  if (method != "weighted")
    return Wrong(fmt::format(".combination.method is '{}' (expected mean_logit or weighted)", method));
  if (!item.contains("weights") || !item["weights"].is_array() || item["weights"].size() != members)
    return Wrong(fmt::format(
        ".combination.weights must have one number for each of the {} members, found {}", members,
        item.contains("weights") && item["weights"].is_array() ? std::to_string(item["weights"].size())
                                                               : "none"));
  Combination combination{.fitted = true, .weights = {}, .bias = 0};
  for (const json& weight : item["weights"]) {
    // JSON has no NaN: who writes one gets null.
    if (!weight.is_number() || !std::isfinite(weight.get<double>()) || weight.get<double>() < 0)
      return Wrong(
          fmt::format(".combination.weights holds {} (expected finite numbers, 0 or more)", weight.dump()));
    combination.weights.push_back(weight);
  }
  if (std::all_of(combination.weights.begin(), combination.weights.end(), [](double w) { return w == 0; }))
    return Wrong(".combination.weights are all 0: no member would count");
  const json bias = item.value("bias", json(0.0));
  if (!bias.is_number() || !std::isfinite(bias.get<double>()))
    return Wrong(fmt::format(".combination.bias is {} (expected a finite number)", bias.dump()));
  combination.bias = bias;
  return combination;
}

}  // namespace

Result<Ensemble> ReadEnsemble(const json& item) {
  if (!item.is_object() || !item.contains("members") || !item.contains("combination"))
    return Wrong(" must have members and combination");
  auto members = ReadMembers(item["members"]);
  if (!members) return tl::unexpected(members.error());
  auto combination = ReadCombination(item["combination"], members->size());
  if (!combination) return tl::unexpected(combination.error());
  return Ensemble{std::move(*members), std::move(*combination)};
}

nlohmann::ordered_json ToJsonValue(const Ensemble& ensemble) {
  nlohmann::ordered_json members = nlohmann::ordered_json::array();
  for (const EnsembleMember& member : ensemble.members) {
    members.push_back({{"model", member.name}, {"version", member.version}});
    if (!member.sha256.empty()) members.back()["sha256"] = member.sha256;
  }
  nlohmann::ordered_json combination = {{"method", "mean_logit"}};
  if (ensemble.combination.fitted)
    combination = {{"method", "weighted"},
                   {"weights", ensemble.combination.weights},
                   {"bias", ensemble.combination.bias}};
  return {{"members", std::move(members)}, {"combination", std::move(combination)}};
}

Combination MeanOf(std::size_t members) {
  return {
      .fitted = false, .weights = std::vector<double>(members, 1 / static_cast<double>(members)), .bias = 0};
}

double Combine(const Combination& combination, std::span<const double> logits) {
  double sum = combination.bias;
  for (std::size_t i = 0; i < logits.size(); ++i) sum += combination.weights[i] * logits[i];
  return sum;
}

Result<void> ResolveMembers(ModelCard& card,
                            const std::function<Result<ModelCard>(const EnsembleMember&)>& read) {
  const std::string ensemble = fmt::format("the ensemble {}:{}", card.name, card.version);
  card.members.clear();
  for (const EnsembleMember& wanted : card.ensemble->members) {
    const std::string name = NameOf(wanted);
    if (wanted.name == card.name && wanted.version == card.version)
      return Fail(ErrorCode::kInternal, ensemble + " names itself as a member",
                  "name models that have a network of their own");
    auto member = read(wanted);
    if (!member)
      return Fail(
          ErrorCode::kInternal, fmt::format("{} needs {}: {}", ensemble, name, member.error().message),
          fmt::format("put {} back into the repository, or make the ensemble again without it", name));
    if (member->ensemble)
      return Fail(ErrorCode::kInternal,
                  fmt::format("{} names {}, which is an ensemble itself (of {})", ensemble, name,
                              MemberNames(*member->ensemble)),
                  "name its members instead");
    if (member->sha256 != wanted.sha256)
      return Fail(ErrorCode::kInternal,
                  fmt::format("{} was made with {} of the sha256 {}, found {}", ensemble, name,
                              wanted.sha256.empty() ? "(none)" : wanted.sha256,
                              member->sha256.empty() ? "(none)" : member->sha256),
                  fmt::format("put the weights of {} back, or make the ensemble again", name));
    card.members.push_back(std::move(*member));
  }
  return {};
}

std::string MemberNames(const Ensemble& ensemble) {
  std::vector<std::string> names;
  for (const EnsembleMember& member : ensemble.members) names.push_back(NameOf(member));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace unmask
