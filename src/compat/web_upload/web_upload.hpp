// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/contract.hpp"
#include "http/router.hpp"

namespace unmask::compat {

/// web-upload: GET / (the page, 10 an hour and 100 a day for an address), POST /upload (one picture, 5 a
/// minute) and the page's own files below /static/ (not limited).
std::shared_ptr<const http::Router> MakeWebUpload(const ContractContext& context);

}  // namespace unmask::compat
