// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: what a router serves and what a description says that it serves, to be compared.

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "http/router.hpp"

namespace unmask {

/// "GET /v1/analyses/{id}" and so on of an OpenAPI document; nothing when the file is none.
inline std::set<std::string> DescribedOperations(const std::filesystem::path& document) {
  std::set<std::string> operations;
  const auto text = ReadSmallFile(document);
  const auto json = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
  if (!json.is_object()) return operations;
  for (const auto& [path, item] : json.at("paths").items())
    for (const auto& [key, operation] : item.items()) {
      if (key == "parameters") continue;
      std::string method = key;
      std::transform(method.begin(), method.end(), method.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      operations.insert(method + " " + path);
    }
  return operations;
}

/// The same of a router, without what every description leaves out: OPTIONS, the answer to all other methods
/// ("*"), and the files that /docs loads.
inline std::set<std::string> ServedOperations(const http::Router& router) {
  std::set<std::string> operations;
  for (const auto& route : router.routes())
    if (route.method != "OPTIONS" && route.method != "*" && !route.path.starts_with("/docs/"))
      operations.insert(route.method + " " + route.path);
  return operations;
}

}  // namespace unmask
