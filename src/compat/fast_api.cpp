// SPDX-License-Identifier: Apache-2.0
#include "compat/fast_api.hpp"

#include <nlohmann/json.hpp>

#include "compat/facts.hpp"
#include "http/multipart.hpp"
#include "http/problem.hpp"

namespace unmask::compat {

FormRules FastApiForm(const char* file_field) {
  return {.file_field = file_field,
          .twice = FormRules::Twice::kLast,
          .ended_parts_count = true,
          .max_text = 1 << 20};
}

FastApiFault FastApiNoFile(const Form& form, const char* file_field) {
  if (const auto* text = form.Find(file_field))
    return {.type = "value_error",
            .loc = {"body", file_field},
            .message = "Value error, Expected UploadFile, received: <class 'str'>",
            .input = *text,
            .empty_error_context = true};
  return {.type = "missing", .loc = {"body", file_field}, .message = "Field required", .input = std::nullopt};
}

http::Response FastApiMalformed(const http::Request& request) {
  const auto* header = request.headers.Find("Content-Type");
  const auto type = header ? http::ParseMediaType(*header) : std::nullopt;
  const bool no_boundary = type && !type->Find("boundary");
  return FastApiDetail(
      400, no_boundary ? "Missing boundary in multipart." : "There was an error parsing the body");
}

std::optional<http::Response> FastApiServerFault(const Error& error) {
  if (error.limit == kFormTextLimit) return FastApiDetail(400, "Part exceeded maximum size of 1024KB.");
  if (error.code == ErrorCode::kTooLarge) return FastApiDetail(413, error.message);
  if (error.code != ErrorCode::kOverloaded) return std::nullopt;
  auto response = FastApiDetail(503, error.message);
  response.headers.Set("Retry-After", std::to_string(http::kRetryAfterSeconds));
  return response;
}

bool IsUnreadableMedia(ErrorCode code) {
  return code == ErrorCode::kUnsupportedMedia || code == ErrorCode::kUndecodable ||
         code == ErrorCode::kUnreadable || code == ErrorCode::kDecoderCrashed;
}

http::Response FastApiExplained(const ContractContext& context, int status, const std::string& detail,
                                const std::string& message) {
  nlohmann::ordered_json body;
  body["detail"] = detail;
  if (message != detail) body["unmask"] = UnmaskNote(context, message);
  return http::JsonResponse(status, FastApiJson(body));
}

}  // namespace unmask::compat
