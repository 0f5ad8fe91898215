// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/service.hpp"
#include "compat/contract.hpp"

namespace unmask::compat {

/// The additive member `unmask` of every answer that is an object: {"verdict", "score", "reasons", "model",
/// "report_id", "engine", "detector"}. The report itself is at /v1/analyses/{report_id} of the main listener.
nlohmann::ordered_json UnmaskFacts(const ContractContext& context, const AnalysisRecord& record,
                                   const Report& report);

/// The same of an answer without an analysis: the engine, and what there is to say.
nlohmann::ordered_json UnmaskNote(const ContractContext& context, const std::string& message);

}  // namespace unmask::compat
