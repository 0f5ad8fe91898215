// SPDX-License-Identifier: Apache-2.0
#include "http/router.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "http/problem.hpp"
#include "http/query.hpp"

namespace unmask::http {
namespace {

/// "/a/b" to {"a", "b"}; "/" to {""}.
std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool IsParameter(std::string_view segment) { return segment.starts_with('{'); }

void CheckTemplate(std::string_view path) {
  if (!path.starts_with('/')) throw std::logic_error(fmt::format("route '{}' must begin with '/'", path));
  for (const auto segment : Segments(path)) {
    const bool opens = segment.find('{') != std::string_view::npos;
    const bool closes = segment.find('}') != std::string_view::npos;
    if ((opens || closes) && !(segment.size() > 2 && segment.front() == '{' && segment.back() == '}'))
      throw std::logic_error(fmt::format("route '{}': a parameter is one whole segment", path));
  }
}

/// The parameters when `path` fits the template, otherwise nothing.
std::optional<std::map<std::string, std::string>> Fit(std::string_view pattern,
                                                      const std::vector<std::string>& path) {
  const auto wanted = Segments(pattern);
  if (wanted.size() != path.size()) return std::nullopt;
  std::map<std::string, std::string> params;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!IsParameter(wanted[i])) {
      if (wanted[i] != path[i]) return std::nullopt;
    } else {
      if (path[i].empty()) return std::nullopt;
      params.emplace(wanted[i].substr(1, wanted[i].size() - 2), path[i]);
    }
  }
  return params;
}

/// One path may serve plain GET by one call and WebSockets by another.
bool MergeUpgrade(Route& present, Route& added) {
  const bool present_upgrades = present.upgrade && !present.handle;
  const bool added_upgrades = added.upgrade && !added.handle;
  if (present_upgrades == added_upgrades || (present.upgrade && added.upgrade)) return false;
  Route& plain = present_upgrades ? added : present;
  const Route& upgrade = present_upgrades ? present : added;
  plain.upgrade = upgrade.upgrade;
  plain.websocket = upgrade.websocket;
  if (!plain.style) plain.style = upgrade.style;
  if (present_upgrades) present = std::move(added);
  return true;
}

Response DefaultStyle(const Error& error, const Request& request) { return Problem(error, request.trace_id); }

}  // namespace

Router::Router(ErrorStyle style)
    : style_(std::make_shared<const ErrorStyle>(style ? std::move(style) : ErrorStyle(DefaultStyle))) {}

void Router::Get(std::string path, Handler handler, Route::Runs runs) {
  Add({.method = "GET", .path = std::move(path), .runs = runs, .handle = std::move(handler)});
}

void Router::Delete(std::string path, Handler handler) {
  Add({.method = "DELETE", .path = std::move(path), .handle = std::move(handler)});
}

void Router::Post(std::string path, std::uint64_t max_body, BodyHandler handler) {
  Add({.method = "POST", .path = std::move(path), .receive = std::move(handler), .max_body = max_body});
}

void Router::WebSocket(std::string path, WebSocketLimits limits, WebSocketHandler handler) {
  Add({.method = "GET", .path = std::move(path), .upgrade = std::move(handler), .websocket = limits});
}

void Router::Add(Route route) {
  CheckTemplate(route.path);
  for (auto& other : routes_) {
    if (other.method != route.method || other.path != route.path) continue;
    if (MergeUpgrade(other, route)) return;
    throw std::logic_error(fmt::format("route '{} {}' exists twice", route.method, route.path));
  }
  if (!route.style) route.style = style_;
  // Literal segments first: '{' sorts after every letter, so the smaller template is the more literal one.
  const auto place = std::upper_bound(routes_.begin(), routes_.end(), route,
                                      [](const Route& a, const Route& b) { return a.path < b.path; });
  routes_.insert(place, std::move(route));
}

void Router::Mount(const std::string& prefix, const Router& other) {
  for (Route route : other.routes_) {
    route.path = prefix + route.path;
    Add(std::move(route));
  }
  prefixes_.push_back({prefix, other.style_});
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  match.style = style_.get();
  for (const auto& prefix : prefixes_)
    if (path == prefix.path || path.starts_with(prefix.path + "/")) match.style = prefix.style.get();

  std::vector<std::string> decoded;
  for (const auto segment : Segments(path)) {
    auto text = PercentDecode(segment);
    if (!text) {
      match.error = {ErrorCode::kBadRequest, "the path has a malformed percent escape", "", ""};
      return match;
    }
    decoded.push_back(std::move(*text));
  }

  std::set<std::string> allowed;
  for (const auto& route : routes_) {
    auto params = Fit(route.path, decoded);
    if (!params) continue;
    if (route.method == "*") {  // the path's other routes come first
      if (!match.route) match = {.route = &route, .params = std::move(*params), .style = route.style.get()};
      continue;
    }
    if (match.route && match.route->path != route.path) break;
    if (route.method == method || (route.method == "GET" && method == "HEAD")) {
      match.route = &route;
      match.params = std::move(*params);
      match.style = route.style.get();
      return match;
    }
    allowed.insert(route.method);
    if (route.method == "GET") allowed.insert("HEAD");
    match.style = route.style.get();
  }
  if (match.route) return match;
  if (allowed.empty()) {
    match.error = {ErrorCode::kNotFound, fmt::format("there is nothing at {}", path),
                   "see /openapi.json for what there is", ""};
    return match;
  }
  for (const auto& name : allowed) match.allow += (match.allow.empty() ? "" : ", ") + name;
  match.error = {ErrorCode::kMethodNotAllowed,
                 fmt::format("{} is not possible here, expected {}", method, match.allow), "", ""};
  return match;
}

}  // namespace unmask::http
