// SPDX-License-Identifier: Apache-2.0
#include "unmask/error.hpp"

namespace unmask {

std::string_view CodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
      return "bad_request";
    case ErrorCode::kForbidden:
      return "forbidden";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kMethodNotAllowed:
      return "method_not_allowed";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kUnreadable:
      return "unreadable";
    case ErrorCode::kUnsupportedMedia:
      return "unsupported_media";
    case ErrorCode::kUndecodable:
      return "undecodable";
    case ErrorCode::kLimitExceeded:
      return "limit_exceeded";
    case ErrorCode::kDecoderCrashed:
      return "decoder_crashed";
    case ErrorCode::kDecoderTimeout:
      return "decoder_timeout";
    case ErrorCode::kOverloaded:
      return "overloaded";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

}  // namespace unmask
