// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

/// One part of a multipart/form-data body.
struct HttpFormPart {
  std::string name;
  std::string text;            ///< of a plain field
  std::filesystem::path file;  ///< not empty: sent instead of `text`, read while it is sent
  std::string filename;
  std::string content_type;  ///< of a file
};

/// One request of a client, and how long it may take.
struct HttpCall {
  std::string url;
  const std::string* body = nullptr;              ///< to POST; null: GET, or a form
  std::string content_type = "application/json";  ///< of `body`
  std::vector<HttpFormPart> form;                 ///< to POST
  std::vector<std::string> headers;               ///< "Name: value" lines beside those that a request needs
  double timeout = 30;         ///< seconds, for the connection and for each silence after it
  double connect_timeout = 0;  ///< seconds for the connection alone; 0: `timeout`
  double deadline = 0;         ///< seconds for the whole call; 0: none
  std::uint64_t max_answer = 16 << 20;
};

struct HttpAnswer {
  long status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< in the order of the answer

  /// The first header of that name, in any case; null when there is none.
  const std::string* Find(std::string_view name) const;
};

/// Why there is no answer.
struct HttpFailure {
  enum class Kind {
    kResolve,  ///< the host has no address
    kConnect,  ///< nobody listens; `os_error` says more
    kConnectTimeout,
    kReadTimeout,  ///< silence, before or within the answer
    kClosed,       ///< the connection ended without an answer
    kReset,        ///< the connection broke; `os_error` says more
    kIncomplete,   ///< the answer ended early, after `received` of `expected` bytes (0: unknown)
    kNotHttp,
    kTooLarge,
    kCancelled,
    kOther,
  };
  Kind kind = Kind::kOther;
  int os_error = 0;
  std::uint64_t received = 0;
  std::uint64_t expected = 0;
  std::string detail;  ///< for the log: names the real host
};

/// Makes HTTP calls and keeps connections for later ones. Thread-safe: as many calls at once as there are
/// threads. Follows no redirects and uses no proxies: it speaks with one known server.
class HttpCaller {
 public:
  HttpCaller();
  ~HttpCaller();

  tl::expected<HttpAnswer, HttpFailure> Call(const HttpCall& call, std::stop_token stop);

 private:
  class Handle;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace unmask
