// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <fmt/format.h>

#include "cli/evaluation_bar.hpp"
#include "cli/exit_code.hpp"
#include "cli/model.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"
#include "evaluation/ensemble/card_text.hpp"
#include "evaluation/ensemble/make.hpp"
#include "render/text.hpp"

namespace unmask {
namespace {

void Print(const EnsembleFigures& figures) {
  fmt::print("\n{} real and {} fake faces of {} origins, cross-fitted in {} folds (95 % intervals):\n\n{}\n",
             figures.authentic, figures.manipulated, figures.clusters, kFolds,
             CandidatesTable(figures, false));
  fmt::print("the card states: {}; AUC is compared with {}, the better member here\n", figures.chosen,
             figures.best_member);
  fmt::print("tracks: {} (simulated on {} faces)\n",
             figures.own_track_points ? "operating points of their own" : "those of one face",
             figures.track_faces);
  for (const Skips::Kind& kind : figures.dataset.skipped.kinds())
    fmt::print("skipped: {} {}, e.g. {}\n", kind.count, kind.reason,
               EscapeForTerminal(kind.examples.front().name));
}

}  // namespace

int RunEnsemble(EnsembleRequest request) {
  SignalWatcher signals;
  EvaluationBar progress;
  const auto made = MakeEnsemble(request, progress, signals.token());
  progress.Hide();
  if (!made) {
    PrintError(made.error());
    return made.error().code == ErrorCode::kConflict ? kWrongUsage : ExitCodeOf(made.error());
  }
  fmt::print("{}", DescribeModel(made->card));
  if (made->figures) Print(*made->figures);
  std::fflush(stdout);
  return made->figures && !made->figures->dataset.skipped.empty() ? kSomeFailed : kAllDone;
}

}  // namespace unmask
