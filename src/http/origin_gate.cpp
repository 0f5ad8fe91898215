// SPDX-License-Identifier: Apache-2.0
#include "http/origin_gate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace unmask::http {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

bool Contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end() ||
         std::find(list.begin(), list.end(), "*") != list.end();
}

/// "Host.example.:80" to "host.example", "[::1]:80" to "::1".
std::string NameOf(std::string_view authority) {
  if (authority.starts_with('[')) return Lower(authority.substr(1, authority.find(']') - 1));
  auto name = authority.substr(0, authority.find(':'));
  if (name.ends_with('.')) name.remove_suffix(1);
  return Lower(name);
}

bool IsAddress(const std::string& name) {
  in6_addr scratch{};
  return ::inet_pton(AF_INET, name.c_str(), &scratch) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), &scratch) == 1;
}

/// No DNS server is asked for these (RFC 6761, section 6.3), so that nobody else can let them point anywhere.
bool IsLocalName(std::string_view name) { return name == "localhost" || name.ends_with(".localhost"); }

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/// The page's own origin is the address that it was fetched from; a proxy may have changed the scheme.
bool IsSameHost(std::string_view origin, const std::string* host) {
  const auto scheme = origin.find("://");
  return host && scheme != std::string_view::npos && Lower(origin.substr(scheme + 3)) == Lower(*host);
}

bool IsSafe(const std::string& method) { return method == "GET" || method == "HEAD"; }

class OriginGate {
 public:
  explicit OriginGate(OriginRules rules) : rules_(std::move(rules)) {}

  Result<Headers> operator()(const Request& request) const {
    const auto* host = request.headers.Find("Host");
    if (host && !HostServed(NameOf(*host)))
      return Fail(
          ErrorCode::kForbidden,
          fmt::format("expected a Host that is localhost, an IP address or a known name, found '{}'", *host),
          fmt::format("if it is a name of this server, start it with --allow-host {}", NameOf(*host)));
    const auto* origin = request.headers.Find("Origin");
    if (origin && Contains(rules_.origins, *origin)) return Grant(request, *origin);
    const auto* site = request.headers.Find("Sec-Fetch-Site");
    const bool own = site ? *site == "same-origin" || *site == "none" : !origin || IsSameHost(*origin, host);
    if (own || (!origin && IsFollowedLink(request))) return Headers();
    if (!origin)
      return Fail(
          ErrorCode::kForbidden, "another site's page made this request",
          "open the address itself, or let that page use CORS and start the server with --allow-origin");
    return Fail(
        ErrorCode::kForbidden, fmt::format("pages of the origin '{}' may not use this server", *origin),
        fmt::format("if they should, start it with --allow-origin {}; a proxy in front of it must pass the "
                    "Host header on",
                    *origin));
  }

 private:
  bool HostServed(const std::string& name) const {
    return !rules_.check_host || name.empty() || IsAddress(name) || IsLocalName(name) ||
           Contains(rules_.hosts, name);
  }

  static bool IsFollowedLink(const Request& request) {
    const auto* mode = request.headers.Find("Sec-Fetch-Mode");
    const auto* target = request.headers.Find("Sec-Fetch-Dest");
    return IsSafe(request.method) && mode && *mode == "navigate" && target && *target == "document";
  }

  static Headers Grant(const Request& request, const std::string& origin) {
    Headers headers;
    headers.Add("Access-Control-Allow-Origin", origin);
    headers.Add("Vary", "Origin");
    if (request.method != "OPTIONS" || !request.headers.Find("Access-Control-Request-Method")) return headers;
    headers.Add("Access-Control-Allow-Methods", "DELETE, GET, HEAD, POST");
    if (const auto* names = request.headers.Find("Access-Control-Request-Headers"))
      headers.Add("Access-Control-Allow-Headers", *names);
    return headers;
  }

  const OriginRules rules_;
};

}  // namespace

Gate MakeOriginGate(OriginRules rules) { return OriginGate(std::move(rules)); }

Result<std::string> ParseOrigin(std::string_view text) {
  auto origin = Lower(text);
  if (origin == "*" || origin == "null") return origin;
  while (origin.ends_with('/')) origin.pop_back();
  for (const auto& [scheme, port] : {std::pair("http://", ":80"), std::pair("https://", ":443")}) {
    if (!origin.starts_with(scheme)) continue;
    if (origin.ends_with(port)) origin.resize(origin.size() - std::string_view(port).size());
    const auto authority = std::string_view(origin).substr(std::string_view(scheme).size());
    const bool valid = std::all_of(authority.begin(), authority.end(), [](char c) {
      return IsHostCharacter(c) || c == ':' || c == '[' || c == ']';
    });
    if (valid && !NameOf(authority).empty()) return origin;
  }
  return Fail(ErrorCode::kBadRequest,
              fmt::format("expected http://HOST[:PORT] or https://HOST[:PORT], found '{}'", text),
              "give it as a browser's address bar begins, without a path; * lets every page in");
}

Result<std::string> ParseHostName(std::string_view text) {
  auto name = Lower(text);
  if (name == "*" || (!name.empty() && std::all_of(name.begin(), name.end(), IsHostCharacter))) return name;
  return Fail(ErrorCode::kBadRequest, fmt::format("expected a host name without a port, found '{}'", text));
}

bool IsLoopback(std::string_view listen) {
  const auto colon = listen.rfind(':');
  const auto name = NameOf(listen.substr(0, listen.starts_with('[') ? listen.size() : colon));
  in_addr v4{};
  if (::inet_pton(AF_INET, name.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return name == "localhost" || name == "::1";
}

}  // namespace unmask::http
