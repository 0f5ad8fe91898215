// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include "http/router.hpp"
#include "serving/model_set.hpp"
#include "serving/predictor.hpp"

namespace unmask::serving {

/// KServe's Open Inference Protocol, version 2, at its own root, with Triton's binary tensors:
///   GET  /v2, /v2/health/live, /v2/health/ready
///   GET  /v2/models/NAME[/versions/V][/ready]
///   POST /v2/models/NAME[/versions/V]/infer
/// V is a number, "stable" or "canary"; without it the version that serves answers.
/// Errors are {"error": ...}. `ready` is false while the server shuts down and outlives the routes' last
/// call.
std::shared_ptr<const http::Router> KserveRoutes(std::shared_ptr<const ModelSet> models,
                                                 std::shared_ptr<Predictor> predictor,
                                                 const std::atomic<bool>& ready);

}  // namespace unmask::serving
