// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/contract.hpp"
#include "http/router.hpp"

namespace unmask::compat {

/// microservice-v1 and microservice-v2: GET /, POST /detect_deepfake_image, POST /detect_deepfake_video. They
/// differ in the name of the list (Predictions, predictions) and in the answer for a video (a bare list, an
/// object).
std::shared_ptr<const http::Router> MakeMicroservice(const ContractContext& context);

}  // namespace unmask::compat
