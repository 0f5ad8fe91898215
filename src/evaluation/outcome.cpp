// SPDX-License-Identifier: Apache-2.0
#include "evaluation/outcome.hpp"

namespace unmask {

SampleOutcome ToOutcome(const Report& report) {
  SampleOutcome outcome{.score = report.score, .logit = report.logit, .verdict = report.verdict};
  if (report.score) outcome.thresholds = report.thresholds;
  for (const MemberScore& member : report.members) outcome.members.push_back(member.logit);
  for (const Reason reason : report.reasons) outcome.reasons.emplace_back(ReasonName(reason));
  return outcome;
}

}  // namespace unmask
