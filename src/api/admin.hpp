// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace unmask {

inline constexpr std::size_t kLeastAdminToken = 16;  ///< characters: shorter ones can be guessed

/// Whether a request may change what the server does: it carries `Authorization: Bearer TOKEN` with the admin
/// token. Nothing when it may; else the answer, a problem as http::Problem() words them: 403 `forbidden`,
/// with how to set a token, when the server has none, 401 `unauthenticated` otherwise.
std::optional<http::Response> RefuseUnlessAdmin(const http::Request& request, const std::string& token);

/// Compares in a time that depends on neither text's content, nor tells the length of `secret`.
bool EqualsSecret(std::string_view given, std::string_view secret);

}  // namespace unmask
