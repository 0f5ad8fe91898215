// SPDX-License-Identifier: Apache-2.0
#include "compat/facts.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "render/round.hpp"

namespace unmask::compat {

using nlohmann::ordered_json;

ordered_json UnmaskFacts(const ContractContext& context, const AnalysisRecord& record, const Report& report) {
  ordered_json facts;
  facts["verdict"] = VerdictName(report.verdict);
  facts["score"] = nullptr;
  if (report.score) facts["score"] = RoundScore(*report.score);
  facts["reasons"] = ordered_json::array();
  for (const auto reason : report.reasons) facts["reasons"].push_back(ReasonName(reason));
  facts["model"] = fmt::format("{}:{}", report.model.name, report.model.version);
  facts["report_id"] = record.id;
  facts["engine"] = context.engine();
  facts["detector"] = report.detector;
  return facts;
}

ordered_json UnmaskNote(const ContractContext& context, const std::string& message) {
  ordered_json facts;
  facts["engine"] = context.engine();
  facts["message"] = message;
  return facts;
}

}  // namespace unmask::compat
