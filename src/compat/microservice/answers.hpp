// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compat/contract.hpp"
#include "compat/facts.hpp"
#include "http/message.hpp"
#include "unmask/report.hpp"

namespace unmask::compat {

/// What a request of the microservice asked for, as its answer repeats it.
struct MicroserviceRequest {
  bool video = false;
  std::string method;           ///< face_detection_method, as sent
  std::int64_t num_frames = 0;  ///< of a video
};

/// The answer with one prediction for each frame that has a face: the stills' one, or those of `order` (the
/// indices as they were sampled).
http::Response MicroserviceAnswer(const ContractContext& context, const MicroserviceRequest& request,
                                  const AnalysisRecord& record, const Report& report,
                                  const std::vector<std::int64_t>& order);

/// The answer without a face where no analysis was needed to know that.
http::Response MicroserviceNoFace(const ContractContext& context, const MicroserviceRequest& request,
                                  const std::string& why);

/// {"error": message}
http::Response MicroserviceError(int status, const std::string& message);

/// The same for an analysis that failed: 500, as the original answers whatever it cannot read, but 503 with
/// Retry-After where trying again helps.
http::Response MicroserviceFault(const Error& error);

}  // namespace unmask::compat
