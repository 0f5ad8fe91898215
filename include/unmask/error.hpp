// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace unmask {

/// What went wrong, as users and programs see it. The names in CodeName() are part of the interface
/// (native-api, section 3): do not rename. Each protocol has one table that maps these to its own codes.
enum class ErrorCode {
  kBadRequest,        ///< the caller asked for something that makes no sense
  kForbidden,         ///< the caller may not ask for this from where it asks
  kNotFound,          ///< no such file, analysis, model or route
  kMethodNotAllowed,  ///< the route exists, but not with this HTTP method
  kConflict,          ///< the thing is in a state that forbids this
  kTooLarge,          ///< more bytes than the limit allows
  kUnreadable,        ///< the file exists but cannot be read: permissions, a folder, a device
  kUnsupportedMedia,  ///< not a picture or video of a kind that is accepted
  kUndecodable,       ///< the right kind, but broken: empty, truncated, no frames, no video stream
  kLimitExceeded,     ///< a limit other than bytes; Error::limit names it
  kDecoderCrashed,    ///< the sandboxed decoder died on this file
  kDecoderTimeout,    ///< the sandboxed decoder took too long
  kOverloaded,        ///< try again later
  kCancelled,         ///< the caller went away or asked to stop
  kInternal,          ///< a fault of unmask or of this machine
};

/// The stable lower-case name, e.g. "unsupported_media".
std::string_view CodeName(ErrorCode code);

/// A failure as a value. The message says what was expected and what was found; the hint says what to do.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  ///< one sentence, no trailing period, no file name (the caller knows it)
  std::string hint;     ///< may be empty
  std::string limit;    ///< for kLimitExceeded: the limit's name as in /v1/limits
};

template <typename T>
using Result = tl::expected<T, Error>;

/// Shorthand for the failing side of a Result.
inline tl::unexpected<Error> Fail(ErrorCode code, std::string message, std::string hint = {},
                                  std::string limit = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(hint), std::move(limit)});
}

}  // namespace unmask
