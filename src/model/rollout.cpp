// SPDX-License-Identifier: Apache-2.0
#include "model/rollout.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace unmask {
namespace {

void EndCanary(Rollout& rollout) {
  rollout.canary.reset();
  rollout.percent = 0;
  rollout.shadow = false;
}

}  // namespace

Result<Rollout> Promote(const Rollout& now, std::optional<int> version, int serving) {
  if (!version && !now.canary)
    return Fail(ErrorCode::kConflict, "there is no canary to promote",
                "name the version that is to become stable, or begin with `unmask model route NAME:VERSION "
                "--canary 5`");
  const int chosen = version ? *version : *now.canary;
  if (now.stable == chosen)
    return Fail(ErrorCode::kConflict, fmt::format("version {} is stable already", chosen));
  Rollout next = now;
  if (now.stable)
    next.previous = now.stable;
  else if (serving != 0 && serving != chosen)
    next.previous = serving;
  next.stable = chosen;
  if (next.canary && *next.canary <= chosen) EndCanary(next);
  return next;
}

Result<Rollout> Rollback(const Rollout& now) {
  Rollout next = now;
  if (now.canary) {
    EndCanary(next);
    return next;
  }
  if (!now.previous)
    return Fail(ErrorCode::kConflict, "there is neither a canary nor an earlier stable version to go back to",
                "name the version that is to answer: unmask model promote NAME:VERSION");
  next.stable = now.previous;
  next.previous.reset();
  return next;
}

Result<Rollout> Route(const Rollout& now, std::optional<int> version, double percent, bool shadow,
                      int serving) {
  if (!(percent >= 0 && percent <= 100))
    return Fail(ErrorCode::kBadRequest,
                fmt::format("the canary's share is {} (expected 0 to 100 %)", percent));
  Rollout next = now;
  if (version) next.canary = version;
  if (!next.canary)
    return Fail(ErrorCode::kConflict, "there is no canary to send files to", "name its version");
  if (!next.stable && serving != 0) next.stable = serving;
  if (!next.stable)
    return Fail(ErrorCode::kConflict, "no version is stable", "unmask model promote NAME:VERSION first");
  if (next.canary == next.stable)
    return Fail(ErrorCode::kConflict,
                fmt::format("version {} is stable: it cannot be its own canary", *next.stable),
                "name another version, or promote another one to stable first");
  next.percent = percent;
  next.shadow = shadow;
  return next;
}

bool MeetsCanary(std::string_view sha256, double percent) {
  constexpr std::size_t kDigits = 13;  // 52 bits: exact in a double
  std::uint64_t bits = 0;
  const std::string_view digits = sha256.substr(0, kDigits);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  if (error != std::errc() || digits.size() != kDigits || end != digits.data() + kDigits) return false;
  return std::ldexp(static_cast<double>(bits), -52) * 100 < percent;
}

std::string LabelOf(const Rollout& rollout, int version) {
  if (rollout.stable == version) return "stable";
  if (rollout.canary == version) return "canary";
  return {};
}

std::string RolloutText(const Rollout& rollout) {
  const auto number = [](std::optional<int> version) { return version ? std::to_string(*version) : "none"; };
  std::string text = fmt::format("stable {} (before: {}), canary {}", number(rollout.stable),
                                 number(rollout.previous), number(rollout.canary));
  if (rollout.canary)
    text += fmt::format(" {} {} %", rollout.shadow ? "in the shadow of" : "at", rollout.percent);
  return text;
}

}  // namespace unmask
