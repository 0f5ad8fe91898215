// SPDX-License-Identifier: Apache-2.0
#include "compat/cors.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace unmask::compat {
namespace {

constexpr const char* kMethods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";
constexpr std::string_view kKnownMethods[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};

/// The server's own default forbids other sites to embed an answer. These services are made for that.
void Open(http::Response& response) { response.headers.Set("Cross-Origin-Resource-Policy", "cross-origin"); }

std::string Upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

/// "X-B, x-a" to "X-B, x-a" in the order of sorted(), as flask-cors gives the list back.
std::string SortedList(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    item.remove_prefix(std::min(item.find_first_not_of(" \t"), item.size()));
    item.remove_suffix(item.size() - (item.find_last_not_of(" \t") + 1));
    if (!item.empty()) items.emplace_back(item);
  }
  std::sort(items.begin(), items.end());
  std::string joined;
  for (const auto& item : items) joined += (joined.empty() ? "" : ", ") + item;
  return joined;
}

}  // namespace

void AddFlaskCors(const http::Request& request, http::Response& response) {
  Open(response);
  const auto* origin = request.headers.Find("Origin");
  response.headers.Set("Access-Control-Allow-Origin", origin ? *origin : "*");
  if (request.method == "OPTIONS") {
    const auto* wanted = request.headers.Find("Access-Control-Request-Method");
    const auto method = wanted ? Upper(*wanted) : "";
    if (std::find(std::begin(kKnownMethods), std::end(kKnownMethods), method) != std::end(kKnownMethods)) {
      if (const auto* names = request.headers.Find("Access-Control-Request-Headers");
          names && !names->empty())
        response.headers.Set("Access-Control-Allow-Headers", SortedList(*names));
      response.headers.Set("Access-Control-Allow-Methods", kMethods);
    }
  }
  if (origin) response.headers.Set("Vary", "Origin");
}

void AddStarletteCors(const http::Request& request, http::Response& response) {
  const auto* origin = request.headers.Find("Origin");
  if (!origin) return;
  Open(response);
  // With a cookie the browser insists on the origin's own name.
  const bool cookie = request.headers.Find("Cookie") != nullptr;
  response.headers.Set("Access-Control-Allow-Origin", cookie ? *origin : "*");
  response.headers.Set("Access-Control-Allow-Credentials", "true");
  if (cookie) response.headers.Set("Vary", "Origin");
}

bool IsStarlettePreflight(const http::Request& request) {
  return request.method == "OPTIONS" && request.headers.Find("Origin") &&
         request.headers.Find("Access-Control-Request-Method");
}

http::Response StarlettePreflight(const http::Request& request) {
  http::Response response{.content_type = "text/plain; charset=utf-8", .body = "OK"};
  Open(response);
  response.headers.Set("Vary", "Origin");
  response.headers.Set("Access-Control-Allow-Methods", kMethods);
  response.headers.Set("Access-Control-Max-Age", "600");
  response.headers.Set("Access-Control-Allow-Credentials", "true");
  if (const auto* origin = request.headers.Find("Origin"))
    response.headers.Set("Access-Control-Allow-Origin", *origin);
  if (const auto* names = request.headers.Find("Access-Control-Request-Headers"))
    response.headers.Set("Access-Control-Allow-Headers", *names);
  const auto* wanted = request.headers.Find("Access-Control-Request-Method");
  if (wanted &&
      std::find(std::begin(kKnownMethods), std::end(kKnownMethods), *wanted) == std::end(kKnownMethods)) {
    response.status = 400;
    response.body = "Disallowed CORS method";
  }
  return response;
}

}  // namespace unmask::compat
