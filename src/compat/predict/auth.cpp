// SPDX-License-Identifier: Apache-2.0
#include "compat/predict/auth.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "base/log.hpp"
#include "http/message.hpp"

namespace unmask::compat {
namespace {

constexpr std::string_view kKnownSecret = "change-me";  // the original's default

std::string Digest(std::string_view text) {
  Sha256 hash;
  hash.Update({text.data(), text.size()});
  return hash.Finish();
}

/// Compares digests, whose first difference tells nothing of the secret.
bool IsSecret(std::string_view token, std::string_view secret) { return Digest(token) == Digest(secret); }

}  // namespace

std::optional<AuthRefusal> CheckBearer(const std::string* authorization, std::string_view secret) {
  const std::string_view header = authorization ? std::string_view(*authorization) : std::string_view();
  const auto space = std::min(header.find(' '), header.size());
  const auto scheme = header.substr(0, space);
  const auto token = header.substr(std::min(space + 1, header.size()));
  if (scheme.empty() || token.empty()) return AuthRefusal{403, "Not authenticated"};
  if (!http::EqualsIgnoreCase(scheme, "Bearer"))
    return AuthRefusal{403, "Invalid authentication credentials"};
  if (!IsSecret(token, secret)) return AuthRefusal{401, "Invalid token"};
  return std::nullopt;
}

Result<void> CheckAuthSettings(const ContractSettings& settings) {
  if (!settings.require_auth || (settings.jwt_secret != kKnownSecret && !settings.jwt_secret.empty()))
    return {};
  const char* const fault = settings.jwt_secret.empty()
                                ? "REQUIRE_AUTH is set, but JWT_SECRET is empty: nobody can be let in"
                                : "REQUIRE_AUTH is set, but JWT_SECRET is 'change-me', which everybody knows";
  if (settings.strict)
    return Fail(ErrorCode::kBadRequest, fault,
                "set JWT_SECRET to a long random text, e.g. $(openssl rand -hex 32)");
  LogError("predict-api: {}; set JWT_SECRET to a long random text", fault);
  return {};
}

}  // namespace unmask::compat
