// SPDX-License-Identifier: Apache-2.0
#include "model/rollout.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/install.hpp"
#include "cli/exit_code.hpp"
#include "cli/model.hpp"
#include "cli/print.hpp"
#include "model/admission.hpp"
#include "model/compiled_cache.hpp"
#include "model/gate_check.hpp"
#include "model/repository.hpp"
#include "model/rollout_json.hpp"
#include "model/trial.hpp"
#include "render/json_value.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

int Refuse(const Error& error) {
  PrintError(error);
  const bool usage = error.code == ErrorCode::kNotFound || error.code == ErrorCode::kBadRequest;
  return usage ? kWrongUsage : kSomeFailed;
}

void PrintLabels(const ModelCommand& command, const std::string& name, const Rollout& rollout) {
  if (command.json)
    fmt::print("{}\n", PrintJson(ToJsonValue(rollout)));
  else
    fmt::print("{}: {}\n", EscapeForTerminal(name), RolloutText(rollout));
}

int PrintLog(const ModelCommand& command, const RolloutFiles& files) {
  const auto events = files.Log(static_cast<std::size_t>(command.limit));
  if (!events) return Refuse(events.error());
  for (const RolloutEvent& event : *events) {
    if (command.json) {
      fmt::print("{}\n", PrintJson(ToJsonValue(event)));
      continue;
    }
    const std::string what =
        event.version != 0 ? fmt::format("version {}", event.version) : RolloutText(event.to);
    fmt::print("{}  {:<9}  {:<8}  {}{}\n", EscapeForTerminal(event.time), EscapeForTerminal(event.actor),
               EscapeForTerminal(event.action), what,
               event.reason.empty() ? "" : EscapeForTerminal(": " + event.reason));
  }
  return kAllDone;
}

/// The version as a server checks it before it serves.
Result<void> CheckVersion(const ModelRepository& repository, const std::string& name, int version) {
  const auto card = repository.Find(fmt::format("{}:{}", name, version));
  if (!card) return tl::unexpected(card.error());
  const auto loaded = LoadChecked(*card, {.cache = DefaultCacheFolder()});
  if (!loaded) return tl::unexpected(loaded.error());
  return {};
}

/// The version that answered until now, while none is labelled stable: the last one that was, else the
/// highest one that a server would take, other than `chosen`. 0: none.
int AnsweredBefore(const ModelRepository& repository, const RolloutFiles& files, const std::string& name,
                   const std::vector<VersionFolder>& versions, int chosen) {
  const auto works = [&](int version) {
    return version != chosen &&
           std::any_of(versions.begin(), versions.end(),
                       [&](const VersionFolder& folder) { return folder.version == version; }) &&
           CheckVersion(repository, name, version);
  };
  const auto events = files.Log(std::numeric_limits<std::size_t>::max());
  if (events)
    for (auto event = events->rbegin(); event != events->rend(); ++event)
      if (event->to.stable) {
        if (works(*event->to.stable)) return *event->to.stable;
        break;
      }
  for (auto folder = versions.rbegin(); folder != versions.rend(); ++folder)
    if (works(folder->version)) return folder->version;
  return 0;
}

}  // namespace

int RunRollout(const ModelCommand& command) {
  using Action = ModelCommand::Action;
  const ModelRepository repository(command.models.empty() ? FindInstallPaths().models : command.models);
  const auto mark = command.name.find_first_of(":@");
  const std::string name = command.name.substr(0, mark);
  const bool takes_version = command.action == Action::kPromote || command.action == Action::kRoute;
  if (mark != std::string::npos && !takes_version)
    return Refuse({ErrorCode::kBadRequest, fmt::format("expected a model's name, found '{}'", command.name),
                   fmt::format("leave out '{}'", command.name.substr(mark)), ""});
  // A damaged label file must not keep anybody from reading the log, so the name alone is looked for.
  const auto versions = repository.Versions(name);
  if (!versions || name.empty() || name.find('/') != std::string::npos || name.front() == '.') {
    const auto card = repository.Find(name);
    return Refuse(card ? versions.error() : card.error());
  }
  const RolloutFiles files(repository.root() / name);
  if (command.action == Action::kLog) return PrintLog(command, files);
  if (command.action == Action::kLabels) {
    const auto rollout = files.Read();
    if (!rollout) return Refuse(rollout.error());
    PrintLabels(command, name, *rollout);
    return kAllDone;
  }

  std::optional<int> version;
  if (mark != std::string::npos) {
    const auto card = repository.Find(command.name);
    if (!card) return Refuse(card.error());
    version = card->version;
  }
  LimitThisTrial();
  const int serving = versions->empty() ? 0 : versions->back().version;
  const char* action = "rollback";
  if (command.action == Action::kPromote) action = "promote";
  if (command.action == Action::kRoute) action = "route";
  const auto changed =
      files.Change("cli", action, command.reason, [&](const Rollout& now) -> Result<Rollout> {
        Result<Rollout> next = Rollback(now);
        if (command.action == Action::kPromote)
          next = Promote(
              now, version,
              now.stable || !version ? 0 : AnsweredBefore(repository, files, name, *versions, *version));
        if (command.action == Action::kRoute)
          next = Route(now, version, command.canary, command.shadow, serving);
        if (!next) return next;
        if (command.require_gate)
          if (auto passed = CheckGate(repository, name, now, *next, serving); !passed)
            return tl::unexpected(passed.error());
        for (const auto chosen : {next->stable, next->canary})
          if (chosen && chosen != now.stable && chosen != now.canary)
            if (auto checked = CheckVersion(repository, name, *chosen); !checked)
              return tl::unexpected(checked.error());
        return next;
      });
  if (!changed) return Refuse(changed.error());
  PrintLabels(command, name, *changed);
  return kAllDone;
}

}  // namespace unmask
