// SPDX-License-Identifier: Apache-2.0
#include "model/admission.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "model/golden.hpp"
#include "model/remote/engine_choice.hpp"
#include "model/remote/remote_engine.hpp"
#include "model/trial.hpp"

namespace unmask {
namespace {

/// The error that `unmask model verify --json` prints as its last line; the engine may print before it.
Error ErrorOf(const TrialResult& trial) {
  const auto begin = trial.said.rfind("\n{");
  const auto json =
      nlohmann::json::parse(trial.said.substr(begin == std::string::npos ? 0 : begin + 1), nullptr,
                            /*allow_exceptions=*/false);
  if (json.is_object() && json.contains("error") && json["error"].is_object())
    return {json["error"].value("code", "") == CodeName(ErrorCode::kOverloaded) ? ErrorCode::kOverloaded
                                                                                : ErrorCode::kInternal,
            json["error"].value("message", "it was refused"), json["error"].value("hint", ""), ""};
  return {ErrorCode::kInternal, fmt::format("loading it in a process of its own ended with {}", trial.ending),
          "the network crashes or overburdens the engine: export it again", ""};
}

/// Whether one of the model's networks is loaded by this process. A card that makes no sense is: its error is
/// the trial's.
bool RunsHere(const ModelCard& card, const std::vector<EngineChoice>& choices) {
  if (card.ensemble)
    return std::any_of(card.members.begin(), card.members.end(),
                       [&](const ModelCard& member) { return RunsHere(member, choices); });
  const auto engine = RemoteEngineOf(card, choices);
  return !engine || !*engine;
}

}  // namespace

Result<ServedModel::Loaded> LoadChecked(const ModelCard& card, const NetworkOptions& given) {
  NetworkOptions options = given;
  options.may_be_starting = true;
  auto scorer = Scorer::Load(card, options);
  if (!scorer) return tl::unexpected(scorer.error());
  if (auto warm = WarmUp(**scorer, options.stop); !warm) return tl::unexpected(warm.error());
  auto golden = CheckGolden(**scorer, options.stop);
  if (!golden) return tl::unexpected(golden.error());
  auto tensors = ProbeTensors(card, (*scorer)->network());
  if (!tensors) spdlog::debug("{}", tensors.error().message);
  return ServedModel::Loaded{.scorer = std::move(*scorer), .golden = *golden, .tensors = std::move(tensors)};
}

Result<ServedModel::Loaded> LoadAfterTrial(const ModelCard& card, const NetworkOptions& options,
                                           const ModelWatch& watch) {
  if (!watch.trial.empty() && RunsHere(card, options.engines)) {
    std::vector<std::string> arguments = {"model",
                                          "verify",
                                          fmt::format("{}:{}", card.name, card.version),
                                          "--json",
                                          "--models",
                                          card.folder.parent_path().parent_path().string(),
                                          "--device",
                                          options.device,
                                          "--cache",
                                          options.cache.string()};
    for (const auto& [model, url] : options.engines)
      arguments.insert(arguments.end(), {"--engine", fmt::format("{}={}", model, url)});
    const auto trial = RunTrial(watch.trial, arguments, watch.trial_timeout, options.stop);
    if (!trial) return tl::unexpected(trial.error());
    if (!trial->ok) return tl::unexpected(ErrorOf(*trial));
  }
  return LoadChecked(card, options);
}

Result<std::unique_ptr<Scorer>> LoadForRun(ModelCard card, const NetworkOptions& options) {
  const bool chosen = IsChosen(card, options.engines);
  auto scorer = Scorer::Load(std::move(card), options);
  if (!scorer || !chosen) return scorer;
  if (const auto golden = CheckGolden(**scorer, options.stop); !golden) return tl::unexpected(golden.error());
  return scorer;
}

Result<std::unique_ptr<ServedModel>> WatchModel(const std::filesystem::path& root, const std::string& name,
                                                const NetworkOptions& options, const ModelWatch& watch) {
  const auto stoppable = [options](const std::stop_token& stop) {
    NetworkOptions some = options;
    some.stop = stop;
    return some;
  };
  return ServedModel::Create(
      {.root = root,
       .name = name,
       .policy = watch.policy,
       .interval = watch.interval,
       .canary = watch.canary,
       .stop = watch.stop},
      [stoppable](const ModelCard& version, const std::stop_token& stop) {
        return LoadChecked(version, stoppable(stop));
      },
      [stoppable, watch](const ModelCard& version, const std::stop_token& stop) {
        return LoadAfterTrial(version, stoppable(stop), watch);
      });
}

}  // namespace unmask
