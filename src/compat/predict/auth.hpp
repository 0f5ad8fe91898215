// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "compat/settings.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

/// Why a request is not let in.
struct AuthRefusal {
  int status = 403;
  const char* detail = "";
};

/// predict-api's check of the Authorization header (null: absent; contract, section 4): the one token is
/// `secret`, compared without telling by its time how much of it was right. Nothing: go on.
std::optional<AuthRefusal> CheckBearer(const std::string* authorization, std::string_view secret);

/// REQUIRE_AUTH with the secret that everybody knows, or with none: a warning in the log, and with
/// `settings.strict` kBadRequest.
Result<void> CheckAuthSettings(const ContractSettings& settings);

}  // namespace unmask::compat
