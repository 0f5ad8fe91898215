// SPDX-License-Identifier: Apache-2.0
#include "model/gate_check.hpp"

#include <fmt/format.h>

namespace unmask {

Result<void> CheckGate(const ModelRepository& repository, const std::string& name, const Rollout& now,
                       const Rollout& next, int serving) {
  const int stable = now.stable.value_or(serving);
  for (const auto& [chosen, before] :
       {std::pair(next.stable, std::optional(stable)), std::pair(next.canary, now.canary)}) {
    if (!chosen || chosen == before || *chosen == stable) continue;
    const auto candidate = repository.Card(name, *chosen);
    if (!candidate) return tl::unexpected(candidate.error());
    const auto against = repository.Card(name, stable);
    if (!against) return tl::unexpected(against.error());
    const auto passed = RolloutFiles(repository.root() / name).GateOf(candidate->sha256, against->sha256);
    if (!passed) return tl::unexpected(passed.error());
    if (passed->value_or(false)) continue;
    return Fail(
        ErrorCode::kConflict,
        fmt::format("{}:{} {} against version {}", name, *chosen,
                    passed->has_value() ? "was refused by its last gate" : "has not passed a gate", stable),
        fmt::format("unmask model gate {}:{} --against {}:{} --data DIR", name, *chosen, name, stable));
  }
  return {};
}

}  // namespace unmask
