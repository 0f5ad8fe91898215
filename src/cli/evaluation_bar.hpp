// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <memory>
#include <string>

#include "cli/progress_bar.hpp"
#include "cli/terminal.hpp"
#include "evaluation/evaluate.hpp"

namespace unmask {

/// A bar on the terminal for each evaluation, once the number of its files is known.
class EvaluationBar final : public EvaluationProgress {
 public:
  void OnStart(std::size_t files) override {
    Hide();
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

}  // namespace unmask
