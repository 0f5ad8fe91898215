// SPDX-License-Identifier: Apache-2.0
#include "http/problem.hpp"

#include <nlohmann/json.hpp>

namespace unmask::http {
namespace {

struct Row {
  ErrorCode code;
  int status;
  const char* title;
};

constexpr Row kTable[] = {
    {ErrorCode::kBadRequest, 400, "The request makes no sense"},
    {ErrorCode::kForbidden, 403, "Not allowed from there"},
    {ErrorCode::kNotFound, 404, "Not found"},
    {ErrorCode::kMethodNotAllowed, 405, "Method not allowed"},
    {ErrorCode::kConflict, 409, "Not possible in this state"},
    {ErrorCode::kCancelled, 409, "The analysis was cancelled"},
    {ErrorCode::kTooLarge, 413, "Too many bytes"},
    {ErrorCode::kUnsupportedMedia, 415, "This kind of media is not accepted"},
    {ErrorCode::kUndecodable, 422, "The media cannot be decoded"},
    {ErrorCode::kUnreadable, 422, "The media cannot be read"},
    {ErrorCode::kLimitExceeded, 422, "The media exceeds a limit"},
    {ErrorCode::kDecoderCrashed, 422, "The decoder failed on this media"},
    {ErrorCode::kDecoderTimeout, 422, "Decoding this media took too long"},
    {ErrorCode::kInternal, 500, "A fault of the server"},
    {ErrorCode::kOverloaded, 503, "Busy, try again later"},
};

const Row& Find(ErrorCode code) {
  for (const auto& row : kTable)
    if (row.code == code) return row;
  return Find(ErrorCode::kInternal);
}

}  // namespace

int HttpStatus(ErrorCode code) { return Find(code).status; }

Response Problem(const Error& error, const std::string& trace_id,
                 const std::vector<std::pair<std::string, std::string>>& extra) {
  const Row& row = Find(error.code);
  nlohmann::ordered_json body;
  body["type"] = "urn:unmask:problem:" + std::string(CodeName(error.code));
  body["title"] = row.title;
  body["status"] = row.status;
  body["detail"] = error.message;
  body["code"] = CodeName(error.code);
  body["trace_id"] = trace_id;
  if (!error.hint.empty()) body["hint"] = error.hint;
  if (!error.limit.empty()) body["limit"] = error.limit;
  for (const auto& [name, value] : extra) body[name] = value;

  Response response;
  response.status = row.status;
  response.content_type = "application/problem+json";
  // Messages may quote what a client sent: bytes that are no UTF-8 are replaced.
  response.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (error.code == ErrorCode::kOverloaded)
    response.headers.Set("Retry-After", std::to_string(kRetryAfterSeconds));
  return response;
}

}  // namespace unmask::http
