// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unmask::http {

/// ASCII case folding, as HTTP compares names.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

/// Header fields in the order of the message. Names compare without regard to case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  void Add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }

  /// Replaces every field of that name.
  void Set(std::string name, std::string value);

  /// The first value, or null.
  const std::string* Find(std::string_view name) const;

  std::size_t Count(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

/// A name or value of a query or path, decoded (RFC 3986 percent-encoding; '+' is a space in queries).
using Parameter = std::pair<std::string, std::string>;

/// One request without its body.
struct Request {
  std::string method;  ///< as sent, e.g. "GET"
  std::string path;    ///< as sent, without the query, still percent-encoded
  std::string raw_query;
  std::vector<Parameter> query;               ///< decoded, in the order of the request
  std::map<std::string, std::string> params;  ///< of the route's template, decoded
  std::string route;                          ///< the template that matched, "" before routing
  Headers headers;
  std::optional<std::uint64_t> content_length;  ///< absent without a body and for chunked bodies
  bool has_body = false;
  std::string client;    ///< address of the peer
  std::string trace_id;  ///< of the W3C traceparent when the client sent one, otherwise new
  std::stop_token gone;  ///< requested when the client goes away before its answer
};

/// Requests are shared, since an answer may come long after the handler returned.
using RequestPtr = std::shared_ptr<const Request>;

/// One answer. Content-Length, Connection and the security headers are the server's affair.
struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;
  std::shared_ptr<const std::string>
      shared_body;     ///< used instead of `body` when set: for big constant files
  bool close = false;  ///< end the connection after this answer

  const std::string& content() const { return shared_body ? *shared_body : body; }
};

Response JsonResponse(int status, std::string json);

/// The reason phrase of RFC 9110, or "Status".
std::string_view ReasonPhrase(int status);

/// What the head of an answer states beside the response itself.
struct HeadFacts {
  std::time_t now = 0;  ///< for Date, which RFC 9110 asks of every server with a clock
  bool close = false;   ///< the connection ends after this answer
  std::string trace_id;
  std::optional<std::uint64_t> content_length;  ///< absent when the body ends with the connection
};

/// Status line and header fields. Adds the security headers that the response does not set itself.
/// Values cannot smuggle lines: control characters become spaces.
std::string SerializeHead(const Response& response, const HeadFacts& facts);

/// IMF-fixdate, e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
std::string HttpDate(std::time_t time);

/// The 32 hex digits of a valid traceparent (W3C Trace Context, level 1), otherwise a new id.
std::string TraceIdFrom(const std::string* traceparent);

}  // namespace unmask::http
