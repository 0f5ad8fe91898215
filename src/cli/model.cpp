// SPDX-License-Identifier: Apache-2.0
#include "cli/model.hpp"

#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/install.hpp"
#include "cli/exit_code.hpp"
#include "cli/print.hpp"
#include "model/admission.hpp"
#include "model/compiled_cache.hpp"
#include "model/golden.hpp"
#include "model/remote/engine_choice.hpp"
#include "model/repository.hpp"
#include "model/trial.hpp"
#include "render/json_value.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

std::string Percent(double value) { return fmt::format("{:.4g} %", value * 100); }

std::string Line(std::string_view name, std::string_view value) {
  return fmt::format("{:<14}{}\n", name, EscapeForTerminal(value));
}

std::string DescribeMembers(const ModelCard& card) {
  const Combination& combination = card.ensemble->combination;
  std::string text =
      Line("members", combination.fitted
                          ? fmt::format("logit = {:+.4g} + the sum of weight x logit of", combination.bias)
                          : "the mean of the logits of");
  for (std::size_t i = 0; i < card.ensemble->members.size(); ++i) {
    const EnsembleMember& member = card.ensemble->members[i];
    text +=
        Line("", fmt::format("- {}:{}{} (sha256 {})", member.name, member.version,
                             combination.fitted ? fmt::format(", weight {:.4g}", combination.weights[i]) : "",
                             member.sha256.empty() ? "not stated: it runs elsewhere" : member.sha256));
  }
  return text;
}

int List(const ModelRepository& repository, bool json) {
  const auto cards = repository.List();
  if (!cards) {
    PrintError(cards.error());
    return kSomeFailed;
  }
  if (json) {
    fmt::print("[");
    for (std::size_t i = 0; i < cards->size(); ++i) fmt::print("{}{}", i == 0 ? "" : ",\n", (*cards)[i].json);
    fmt::print("]\n");
    return kAllDone;
  }
  if (cards->empty()) {
    PrintError({ErrorCode::kNotFound, "the repository holds no model", "name another one with --models", ""});
    return kSomeFailed;
  }
  for (const ModelCard& card : *cards)
    fmt::print("{:<20} {}\n", EscapeForTerminal(fmt::format("{}:{}", card.name, card.version)),
               EscapeForTerminal(card.description));
  return kAllDone;
}

int Show(const ModelRepository& repository, const ModelCommand& command) {
  const auto card = repository.Find(command.name);
  if (!card) {
    PrintError(card.error());
    return card.error().code == ErrorCode::kInternal ? kSomeFailed : kWrongUsage;
  }
  if (command.json) {
    fmt::print("{}{}", card->json, card->json.ends_with('\n') ? "" : "\n");
    return kAllDone;
  }
  fmt::print("{}", DescribeModel(*card));
  const auto verified = ModelRepository::Verify(*card);
  if (verified) {
    fmt::print("{}", Line("files", "as the card says (sha256 checked)"));
    return kAllDone;
  }
  std::fflush(stdout);
  PrintError(verified.error());
  return kSomeFailed;
}

int Import(ImportRequest request, const std::filesystem::path& models) {
  request.models = models;
  const auto card = ImportModel(request, "/proc/self/exe");
  if (!card) {
    PrintError(card.error(), request.file.string());
    return card.error().code == ErrorCode::kConflict ? kWrongUsage : kSomeFailed;
  }
  fmt::print("{}", DescribeModel(*card));
  fmt::print("{}", Line("next", fmt::format("unmask scan --models {} --model {}:{} FILE", models.string(),
                                            card->name, card->version)));
  return kAllDone;
}

int Verify(const ModelRepository& repository, const ModelCommand& command) {
  LimitThisTrial();
  const auto card = repository.Find(command.name);
  const auto engines = CheckEngines(repository, command.engines);
  const auto load = [&]() -> Result<ServedModel::Loaded> {
    if (!card) return tl::unexpected(card.error());
    if (!engines) return tl::unexpected(engines.error());
    return LoadChecked(*card, {.device = command.device,
                               .cache = command.cache ? *command.cache : DefaultCacheFolder(),
                               .engines = command.engines});
  };
  const auto loaded = load();
  if (command.json) {
    nlohmann::ordered_json json = {{"ok", loaded.has_value()}};
    if (!loaded) json["error"] = ToJsonValue(loaded.error());
    if (loaded && loaded->golden)
      json["golden"] = {{"cases", loaded->golden->cases},
                        {"worst", loaded->golden->worst},
                        {"tolerance", loaded->golden->tolerance}};
    fmt::print("{}\n", PrintJson(json));
  }
  if (!loaded) {
    if (!command.json) PrintError(loaded.error());
    return card || card.error().code == ErrorCode::kInternal ? kSomeFailed : kWrongUsage;
  }
  if (command.json) return kAllDone;
  fmt::print("{}", Line("model", fmt::format("{}:{}", card->name, card->version)));
  fmt::print("{}", Line("files", "as the card says (sha256 checked)"));
  fmt::print("{}", Line("network", "loads and runs"));
  fmt::print("{}", Line("golden inputs", fmt::format("{} checked, largest difference {:.2g} (tolerance {})",
                                                     loaded->golden->cases, loaded->golden->worst,
                                                     loaded->golden->tolerance)));
  return kAllDone;
}

/// Writes the golden.json of a version that came without one.
int MakeGoldenFile(const ModelRepository& repository, const ModelCommand& command) {
  LimitThisTrial();
  const auto refuse = [](const Error& error) {
    PrintError(error);
    const bool usage = error.code == ErrorCode::kNotFound || error.code == ErrorCode::kConflict;
    return usage ? kWrongUsage : kSomeFailed;
  };
  const auto card = repository.Find(command.name);
  if (!card) return refuse(card.error());
  const auto file = card->folder / "golden.json";
  if (std::filesystem::exists(std::filesystem::symlink_status(file)))
    return refuse({ErrorCode::kConflict, fmt::format("{} is there already", file.string()),
                   "a version never changes; check it with `unmask model verify`", ""});
  const auto scorer = Scorer::Load(
      *card, {.device = command.device, .cache = command.cache ? *command.cache : DefaultCacheFolder()});
  if (!scorer) return refuse(scorer.error());
  const auto golden = MakeGolden(**scorer);
  if (!golden) return refuse(golden.error());
  if (auto written = WriteFileAtomically(file, *golden); !written) return refuse(written.error());
  const auto checked = CheckGolden(**scorer);
  if (!checked) return refuse(checked.error());
  fmt::print("{}", Line("model", fmt::format("{}:{}", card->name, card->version)));
  fmt::print("{}", Line("golden inputs", fmt::format("{} recorded in {}", checked->cases, file.string())));
  return kAllDone;
}

}  // namespace

std::string DescribeModel(const ModelCard& card) {
  std::string text;
  text += Line("model", fmt::format("{}:{}", card.name, card.version));
  text += Line("description", card.description);
  text += Line("licence", card.licence);
  text += Line("folder", card.folder.string());
  if (card.ensemble) {
    text += DescribeMembers(card);
  } else {
    text += Line("weights", fmt::format("{} (sha256 {})", card.network_file, card.sha256));
    text += Line("input", fmt::format("{}x{} pixels of one face, {}", card.input.width, card.input.height,
                                      card.input.rgb ? "RGB" : "BGR"));
  }
  text +=
      Line("calibrated",
           card.calibration.fitted
               ? fmt::format("yes: score = sigmoid({:.4g} x logit {} {:.4g})", card.calibration.slope,
                             card.calibration.intercept < 0 ? "-" : "+", std::abs(card.calibration.intercept))
               : "no: every verdict is inconclusive (not_calibrated)");
  if (card.calibration.fitted) {
    text += Line("manipulated", fmt::format("from a score of {} on ({} false positives on validation data)",
                                            Percent(card.thresholds.manipulated),
                                            Percent(card.thresholds.fpr_at_manipulated)));
    text += Line("clear",
                 fmt::format("below a score of {} ({} of the untouched faces lie above, on validation data)",
                             Percent(card.thresholds.clear), Percent(card.thresholds.fpr_at_clear)));
  }
  for (std::size_t i = 0; i < card.limits.size(); ++i)
    text += Line(i == 0 ? "limits" : "", "- " + card.limits[i].text);
  return text;
}

int RunModel(const ModelCommand& command) {
  const auto models = command.models.empty() ? FindInstallPaths().models : command.models;
  const ModelRepository repository(models);
  switch (command.action) {
    case ModelCommand::Action::kImport:
      return Import(command.request, models);
    case ModelCommand::Action::kEnsemble: {
      EnsembleRequest request = command.ensemble;
      request.analyzer.models = models;
      return RunEnsemble(std::move(request));
    }
    case ModelCommand::Action::kList:
      return List(repository, command.json);
    case ModelCommand::Action::kShow:
      return Show(repository, command);
    case ModelCommand::Action::kGolden:
      return MakeGoldenFile(repository, command);
    case ModelCommand::Action::kVerify:
      return Verify(repository, command);
    case ModelCommand::Action::kGate:
      return RunGateCommand(command);
    default:
      return RunRollout(command);
  }
}

}  // namespace unmask
