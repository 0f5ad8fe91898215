// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/handler.hpp"
#include "unmask/error.hpp"

namespace unmask::http {

/// Which web pages may use a listener. A browser lets any page send requests to any address that it can
/// reach, localhost and the company's network among them; clients that are no browsers are not concerned.
struct OriginRules {
  /// Origins whose pages may use it and read its answers, e.g. "https://example.org"; "*" for all pages. The
  /// listener's own pages always may.
  std::vector<std::string> origins;

  /// Check Host: only these names, localhost and IP addresses are served. A page whose name its owner lets
  /// point to this machine (DNS rebinding) passes for the listener's own otherwise.
  bool check_host = false;
  std::vector<std::string> hosts;  ///< without ports, e.g. "media.example.org"; "*" for all names
};

/// Refuses requests of foreign pages with kForbidden, and names what to change. Goes by Sec-Fetch-Site where
/// the browser sends it, otherwise by comparing Origin with Host; a link that somebody follows is let pass.
/// To listed foreign origins it grants CORS without credentials.
Gate MakeOriginGate(OriginRules rules);

/// "https://Example.org:443" to what a browser sends, "https://example.org"; also "null" and "*". kBadRequest
/// for anything else.
Result<std::string> ParseOrigin(std::string_view text);

/// A host name without port in lower case, or "*". kBadRequest for anything else.
Result<std::string> ParseHostName(std::string_view text);

/// True for "127.0.0.1:80", "localhost:80", "[::1]:80" and their kin: only this machine can connect there.
bool IsLoopback(std::string_view listen);

}  // namespace unmask::http
