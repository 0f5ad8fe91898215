// SPDX-License-Identifier: Apache-2.0
#include "compat/wait.hpp"

#include <utility>

#include "api/wait.hpp"

namespace unmask::compat {
namespace {

// The originals had no limit of their own. The decoder's and the queue's end every analysis long before.
constexpr double kLongestWait = 7 * 86400.0;

const Error kGone{ErrorCode::kCancelled, "the analysis was deleted while it ran", "", ""};
const Error kStillRuns{ErrorCode::kOverloaded, "the analysis takes too long", "", ""};

}  // namespace

void AnswerByAnalysis(const ContractContext& context, const http::RequestPtr& request,
                      http::Responder responder, AnswerPlan plan) {
  plan.job.retention = context.retention;
  plan.job.analyzer = context.faithful.get();
  const auto id = context.service.Submit(std::move(plan.job));
  if (!id) return responder.Send(plan.fault(id.error()));
  AnswerWhenEnded(context.service, context.timers, request, std::move(responder),
                  {.id = *id,
                   .seconds = kLongestWait,
                   .answer =
                       [render = std::move(plan.render),
                        fault = std::move(plan.fault)](const std::optional<AnalysisRecord>& record) {
                         if (!record) return fault(kGone);
                         if (record->error) return fault(*record->error);
                         return record->report ? render(*record, *record->report) : fault(kStillRuns);
                       },
                   .on_gone = [&service = context.service, id = *id] { service.Cancel(id); }});
}

}  // namespace unmask::compat
