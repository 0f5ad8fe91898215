// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>

#include "base/install.hpp"
#include "cli/evaluation_bar.hpp"
#include "cli/exit_code.hpp"
#include "cli/model.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"
#include "model/repository.hpp"
#include "model/rollout.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

int Refuse(const Error& error) {
  PrintError(error);
  return ExitCodeOf(error);
}

/// Where a version is: in the repository, or in a folder NAME/VERSION of its own.
AnalyzerConfig Place(const AnalyzerConfig& common, const fs::path& models, const std::string& name) {
  AnalyzerConfig config = common;
  config.models = models;
  config.model = name;
  std::error_code ignored;
  if (!fs::exists(fs::path(name) / "model.json", ignored)) return config;
  const fs::path folder = fs::canonical(name, ignored);
  config.models = folder.parent_path().parent_path();
  config.model = fmt::format("{}:{}", folder.parent_path().filename().string(), folder.filename().string());
  return config;
}

std::string ReasonText(const GateReport& report) {
  std::string text =
      fmt::format("{} against version {} on {} real and {} fake files",
                  report.passed() ? "passed" : "refused", report.stable.version, report.real, report.fake);
  for (const std::string& refusal : report.refusals) text += "; " + refusal;
  return text;
}

}  // namespace

int RunGateCommand(const ModelCommand& command) {
  SignalWatcher signals;
  const fs::path models = command.models.empty() ? FindInstallPaths().models : command.models;
  const AnalyzerConfig& common = command.evaluation.analyzer;
  const AnalyzerConfig candidate = Place(common, models, command.name);
  const AnalyzerConfig stable = Place(common, models, command.against);
  const auto candidate_card = ModelRepository(candidate.models).Find(candidate.model);
  if (!candidate_card) return Refuse(candidate_card.error());
  const auto stable_card = ModelRepository(stable.models).Find(stable.model);
  if (!stable_card) return Refuse(stable_card.error());
  if (candidate_card->name != stable_card->name)
    return Refuse({ErrorCode::kBadRequest,
                   fmt::format("expected two versions of one model, found {} and {}", candidate_card->name,
                               stable_card->name),
                   "compare models of other names with unmask evaluate", ""});
  EvaluationBar progress;
  const auto report = RunGate(command.evaluation, candidate, stable, command.gate, progress, signals.token());
  progress.Hide();
  if (!report) return Refuse(report.error());
  fmt::print("{}", command.json ? GateToJson(*report) + "\n" : GateToText(*report));
  std::fflush(stdout);
  const auto recorded =
      RolloutFiles(models / stable_card->name)
          .RecordGate(report->candidate.version, ReasonText(*report), GateToJson(*report, -1));
  if (!recorded) return Refuse(recorded.error());
  return report->passed() ? kAllDone : kFailOn;
}

}  // namespace unmask
