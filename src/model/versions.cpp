// SPDX-License-Identifier: Apache-2.0
#include "model/versions.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unmask {
namespace {

constexpr int kMostLatest = 1000;

std::optional<int> ParsePositive(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) return std::nullopt;
  return value;
}

}  // namespace

std::string_view VersionStateName(VersionState state) {
  switch (state) {
    case VersionState::kStart:
      return "START";
    case VersionState::kLoading:
      return "LOADING";
    case VersionState::kAvailable:
      return "AVAILABLE";
    case VersionState::kUnloading:
      return "UNLOADING";
    case VersionState::kEnd:
      return "END";
  }
  return "END";
}

std::optional<VersionState> After(VersionState state, VersionEvent event) {
  using State = VersionState;
  struct Row {
    State from;
    VersionEvent event;
    State to;
  };
  static constexpr Row kTable[] = {
      {State::kEnd, VersionEvent::kWant, State::kStart},
      {State::kStart, VersionEvent::kLoad, State::kLoading},
      {State::kStart, VersionEvent::kUnwant, State::kEnd},
      {State::kLoading, VersionEvent::kLoaded, State::kAvailable},
      {State::kLoading, VersionEvent::kFail, State::kEnd},
      {State::kLoading, VersionEvent::kWait, State::kLoading},
      {State::kAvailable, VersionEvent::kUnwant, State::kUnloading},
      {State::kUnloading, VersionEvent::kReleased, State::kEnd},
  };
  for (const Row& row : kTable)
    if (row.from == state && row.event == event) return row.to;
  return std::nullopt;
}

Result<VersionPolicy> ParseVersionPolicy(std::string_view text) {
  if (text == "all") return VersionPolicy{.kind = VersionPolicy::Kind::kAll, .given = {}};
  if (text == "latest") return VersionPolicy{};
  if (text.starts_with("latest:")) {
    const auto latest = ParsePositive(text.substr(7));
    if (latest && *latest <= kMostLatest) return VersionPolicy{.latest = *latest, .given = {}};
  } else {
    VersionPolicy policy{.kind = VersionPolicy::Kind::kGiven, .given = {}};
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      const auto version = ParsePositive(text.substr(begin, end - begin));
      if (!version) break;
      policy.given.push_back(*version);
      begin = end + 1;
      if (begin > text.size()) return policy;
    }
  }
  return Fail(ErrorCode::kBadRequest,
              fmt::format("expected latest, latest:N (N up to {}), all, or versions such as 1,4, found '{}'",
                          kMostLatest, text));
}

std::string VersionPolicyText(const VersionPolicy& policy) {
  switch (policy.kind) {
    case VersionPolicy::Kind::kAll:
      return "all";
    case VersionPolicy::Kind::kGiven:
      return fmt::format("{}", fmt::join(policy.given, ","));
    case VersionPolicy::Kind::kLatest:
      break;
  }
  return fmt::format("latest:{}", policy.latest);
}

std::set<int> WantedVersions(const VersionPolicy& policy, const std::vector<int>& present) {
  std::set<int> wanted(present.begin(), present.end());
  switch (policy.kind) {
    case VersionPolicy::Kind::kAll:
      break;
    case VersionPolicy::Kind::kGiven:
      std::erase_if(wanted, [&](int version) {
        return std::find(policy.given.begin(), policy.given.end(), version) == policy.given.end();
      });
      break;
    case VersionPolicy::Kind::kLatest:
      while (wanted.size() > static_cast<std::size_t>(std::max(0, policy.latest)))
        wanted.erase(wanted.begin());
      break;
  }
  return wanted;
}

double PauseBeforeLoad(const LoadRetry& retry, int failed, double random) {
  const double most = std::min(retry.first * std::pow(2.0, failed - 1), retry.longest);
  return most * (0.5 + random / 2);
}

int ChooseServing(std::optional<int> stable, int current, const std::set<int>& available,
                  const std::set<int>& wanted) {
  if (stable) return available.contains(*stable) ? *stable : current;
  for (auto version = wanted.rbegin(); version != wanted.rend(); ++version)
    if (available.contains(*version)) return *version;
  return current;
}

}  // namespace unmask
