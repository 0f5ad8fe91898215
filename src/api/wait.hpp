// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "api/service.hpp"
#include "http/handler.hpp"
#include "http/server.hpp"

namespace unmask {

/// One answer that waits for an analysis. No thread waits.
struct WaitPlan {
  std::string id;
  double seconds = 0;  ///< the longest wait; 0 answers at once

  /// The answer: from the record when the analysis has ended or the time is over, or from nothing when there
  /// is no such analysis (any more).
  std::function<http::Response(const std::optional<AnalysisRecord>&)> answer;

  /// Called instead of `answer` when the client has gone before; may be empty.
  std::function<void()> on_gone;
};

/// Answers when the analysis has ended, the time is over or the client has gone, whichever comes first.
/// `service` and `timers` must outlive the wait; shutting the service down ends every wait.
void AnswerWhenEnded(AnalysisService& service, http::Timers& timers, const http::RequestPtr& request,
                     http::Responder responder, WaitPlan plan);

}  // namespace unmask
