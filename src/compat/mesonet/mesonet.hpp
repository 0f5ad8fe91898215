// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compat/contract.hpp"

namespace unmask::compat {

/// mesonet-api: GET /, GET /health, POST /upload, and Socket.IO at /socket.io/ where the context has a
/// server.
ServedContract MakeMesonetApi(const ContractContext& context);

}  // namespace unmask::compat
