// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

#include "api/service.hpp"
#include "compat/contract.hpp"
#include "http/message.hpp"
#include "unmask/report.hpp"

namespace unmask::compat {

/// How predict-api sampled a video; known as soon as it is known what the media is.
struct PredictSampling {
  double source_fps = 0;
  std::int64_t total_frames = 0;
  std::int64_t step = 0;
};

/// The answer of POST /predict, or its 400 when there is nothing to give.
http::Response PredictAnswer(const ContractContext& context, const AnalysisRecord& record,
                             const Report& report, const PredictSampling& sampling, double latency_ms);

/// {"detail": ...} for an analysis that failed: 400 whatever the reason, as in the original, but 503 where
/// trying again helps, and with ContractSettings::strict for faults that are not the client's.
http::Response PredictFault(const ContractContext& context, const Error& error);

/// The status document of TensorFlow Serving for a model that is built in.
nlohmann::ordered_json EmbeddedModelStatus(const ModelCard& model);

}  // namespace unmask::compat
