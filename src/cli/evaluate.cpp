// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate.hpp"

#include <unistd.h>

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "cli/exit_code.hpp"
#include "cli/print.hpp"
#include "cli/progress_bar.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "evaluation/evaluation_text.hpp"

namespace unmask {
namespace {

/// A bar on the terminal, once the number of files is known.
class BarProgress final : public EvaluationProgress {
 public:
  void OnStart(std::size_t files) override {
    bar_ = std::make_unique<ProgressBar>(STDERR_FILENO, IsTerminal(STDERR_FILENO), files);
  }
  void OnFile(const std::string& name) override {
    bar_->Advance(1, name);
    bar_->FinishFile();
  }
  void Hide() {
    if (bar_) bar_->Hide();
  }

 private:
  std::unique_ptr<ProgressBar> bar_;
};

int ExitCodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kBadRequest:
    case ErrorCode::kNotFound:
      return kWrongUsage;
    case ErrorCode::kCancelled:
      return kInterrupted;
    default:
      return kSomeFailed;
  }
}

}  // namespace

int RunEvaluate(const EvaluateCommand& command) {
  SignalWatcher signals;
  BarProgress progress;
  const auto result = Evaluate(command.request, progress, signals.token());
  progress.Hide();
  if (!result) {
    PrintError(result.error());
    return ExitCodeOf(result.error());
  }
  fmt::print("{}", EvaluationText(result->evaluation));
  return result->evaluation.skipped.empty() ? kAllDone : kSomeFailed;
}

}  // namespace unmask
