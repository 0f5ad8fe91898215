// SPDX-License-Identifier: Apache-2.0
#include "api/admin.hpp"

#include <nlohmann/json.hpp>

#include "base/hash.hpp"

namespace unmask {
namespace {

std::string HashOf(std::string_view text) {
  Sha256 hash;
  hash.Update(text);
  return hash.Finish();
}

/// The two codes of RFC 9457 problems that no Error has, since nothing below the interface asks who calls.
struct Problem {
  int status;
  const char* code;
  const char* title;
  const char* detail;
  const char* hint;
};

http::Response Refusal(const http::Request& request, const Problem& problem) {
  const nlohmann::ordered_json body = {{"type", std::string("urn:unmask:problem:") + problem.code},
                                       {"title", problem.title},
                                       {"status", problem.status},
                                       {"detail", problem.detail},
                                       {"code", problem.code},
                                       {"trace_id", request.trace_id},
                                       {"hint", problem.hint}};
  return {.status = problem.status, .content_type = "application/problem+json", .body = body.dump() + "\n"};
}

}  // namespace

bool EqualsSecret(std::string_view given, std::string_view secret) {
  // Hashes have one length, and where they first differ says nothing about the texts.
  const std::string a = HashOf(given);
  const std::string b = HashOf(secret);
  unsigned char different = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    different = static_cast<unsigned char>(
        different | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
  return different == 0;
}

std::optional<http::Response> RefuseUnlessAdmin(const http::Request& request, const std::string& token) {
  if (token.empty())
    return Refusal(request, {.status = 403,
                             .code = "forbidden",
                             .title = "Not allowed",
                             .detail = "this server takes no changes over HTTP: it has no admin token",
                             .hint = "start it with --admin-token-file FILE or UNMASK_ADMIN_TOKEN, or use "
                                     "`unmask model`"});
  const std::string* sent = request.headers.Find("Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  const bool is_bearer = sent != nullptr && request.headers.Count("Authorization") == 1 &&
                         sent->size() >= kScheme.size() &&
                         http::EqualsIgnoreCase(std::string_view(*sent).substr(0, kScheme.size()), kScheme);
  if (is_bearer && EqualsSecret(std::string_view(*sent).substr(kScheme.size()), token)) return std::nullopt;
  auto refusal =
      Refusal(request, {.status = 401,
                        .code = "unauthenticated",
                        .title = "Who asks must be known",
                        .detail = is_bearer ? "this is not the admin token" : "changes need the admin token",
                        .hint = "send it as Authorization: Bearer TOKEN"});
  refusal.headers.Set("WWW-Authenticate", "Bearer");
  return refusal;
}

}  // namespace unmask
