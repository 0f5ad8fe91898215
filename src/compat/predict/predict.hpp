// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/contract.hpp"
#include "http/router.hpp"

namespace unmask::compat {

/// predict-api: GET /health, POST /predict?fps=.
std::shared_ptr<const http::Router> MakePredictApi(const ContractContext& context);

}  // namespace unmask::compat
