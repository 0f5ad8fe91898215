// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "compat/contract.hpp"
#include "compat/python.hpp"
#include "compat/upload.hpp"
#include "http/handler.hpp"

namespace unmask::compat {

/// How FastAPI reads a form with one file.
FormRules FastApiForm(const char* file_field);

/// What FastAPI says of a form that has no file in that field: it is missing, or it is text.
FastApiFault FastApiNoFile(const Form& form, const char* file_field);

/// Its answer to a body that says it is multipart/form-data and is not.
http::Response FastApiMalformed(const http::Request& request);

/// The answer to what the original does not know: 503 with Retry-After when there is no room, 413 for too
/// many bytes. Nothing for other errors.
std::optional<http::Response> FastApiServerFault(const Error& error);

/// True when the media is to blame: the originals fail to open it.
bool IsUnreadableMedia(ErrorCode code);

/// {"detail": ...}, and where `message` says more than the original does, it stands under `unmask`.
http::Response FastApiExplained(const ContractContext& context, int status, const std::string& detail,
                                const std::string& message);

/// Reads a body to its end, as FastAPI does before it answers, and gives the answer that was clear before.
class RefusingReceiver : public http::BodyReceiver {
 public:
  explicit RefusingReceiver(http::Response response) : response_(std::move(response)) {}
  Result<void> Write(std::string_view) override { return {}; }
  void Finish(http::Responder responder) override { responder.Send(std::move(response_)); }

 private:
  http::Response response_;
};

}  // namespace unmask::compat
