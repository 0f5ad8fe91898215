// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "base/file.hpp"
#include "cli/evaluation_bar.hpp"
#include "cli/exit_code.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"
#include "evaluation/evaluation_html.hpp"
#include "evaluation/evaluation_json.hpp"
#include "evaluation/evaluation_text.hpp"
#include "evaluation/scores_csv.hpp"

namespace unmask {
namespace {

std::string EvaluationJsonOf(const EvaluationResult& result) { return EvaluationJson(result.evaluation); }
std::string EvaluationHtmlOf(const EvaluationResult& result) { return EvaluationHtml(result.evaluation); }
std::string ScoresCsvOf(const EvaluationResult& result) { return ScoresCsv(result.samples, result.outcomes); }

/// Before minutes of work: can the results be written?
Result<void> CheckTarget(const char* option, const std::filesystem::path& file) {
  if (file.empty()) return {};
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored))
    return Fail(ErrorCode::kBadRequest, fmt::format("{} names a folder: {}", option, file.string()),
                "name a file in it");
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return Fail(
        ErrorCode::kBadRequest,
        fmt::format("{} cannot be written into {}: {}", option, folder.string(), std::strerror(errno)),
        "choose another place or make the folder");
  return {};
}

}  // namespace

int RunEvaluate(const EvaluateCommand& command) {
  SignalWatcher signals;
  for (const auto& [option, file] : {std::pair("--json", &command.json), std::pair("--html", &command.html),
                                     std::pair("--scores", &command.scores)})
    if (auto valid = CheckTarget(option, *file); !valid) {
      PrintError(valid.error());
      return kWrongUsage;
    }
  EvaluationBar progress;
  const auto result = Evaluate(command.request, progress, signals.token());
  progress.Hide();
  if (!result) {
    PrintError(result.error());
    return ExitCodeOf(result.error());
  }
  fmt::print("{}", EvaluationText(result->evaluation));
  std::fflush(stdout);
  for (const auto& [file, content] :
       {std::pair(&command.json, &EvaluationJsonOf), std::pair(&command.html, &EvaluationHtmlOf),
        std::pair(&command.scores, &ScoresCsvOf)}) {
    if (file->empty()) continue;
    if (auto written = WriteFileAtomically(*file, content(*result)); !written) {
      PrintError(written.error(), file->string());
      return kSomeFailed;
    }
  }
  return result->evaluation.skipped.empty() ? kAllDone : kSomeFailed;
}

}  // namespace unmask
