// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "http/router.hpp"
#include "serving/model_set.hpp"
#include "serving/predictor.hpp"

namespace unmask::serving {

/// TensorFlow Serving's REST interface, at its own root:
///   GET  /v1/models/NAME[/versions/N | /labels/L][/metadata]
///   POST /v1/models/NAME[/versions/N | /labels/L]:predict
/// Without N or L the version that serves answers. Errors are {"error": ...} with that server's status.
/// :classify and :regress are 501.
std::shared_ptr<const http::Router> TfServingRoutes(std::shared_ptr<const ModelSet> models,
                                                    std::shared_ptr<Predictor> predictor);

}  // namespace unmask::serving
