// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unmask/error.hpp"

namespace unmask::http {

/// "text/html; charset=utf-8" in parts. Type and parameter names in lower case, values unquoted.
struct MediaType {
  std::string type;  ///< "text/html"
  std::vector<std::pair<std::string, std::string>> parameters;

  /// The value of a parameter, or null.
  const std::string* Find(std::string_view name) const;
};

/// Parses a header value of that form (RFC 9110, 8.3; also Content-Disposition, whose type has no slash).
/// Nothing when it is malformed or repeats a parameter.
std::optional<MediaType> ParseMediaType(std::string_view value);

/// The boundary of a multipart/form-data Content-Type (RFC 2046: 1 to 70 characters of a small set).
Result<std::string> ParseBoundary(std::string_view content_type);

struct MultipartLimits {
  std::size_t max_parts = 16;
  std::size_t max_header_bytes = 8192;  ///< of one part's header fields together
  std::size_t max_headers = 16;         ///< fields of one part
  std::size_t max_name = 256;           ///< bytes of a field's name
  std::size_t max_filename = 1024;      ///< bytes of a file name
  std::size_t max_preamble = 4096;      ///< bytes before the first boundary
};

struct MultipartPart {
  std::string name;
  std::optional<std::string> filename;  ///< what the client called its file: a label, never a path
  std::string content_type;             ///< as sent, "" when absent
};

/// Takes what the parser finds. An error ends the parsing with that error.
class MultipartEvents {
 public:
  virtual ~MultipartEvents() = default;
  virtual Result<void> OnPart(const MultipartPart& part) = 0;
  virtual Result<void> OnData(std::string_view bytes) = 0;  ///< never empty; pieces as they come
  virtual Result<void> OnPartEnd() = 0;
};

/// An incremental parser of multipart/form-data (RFC 7578, RFC 2046). However the body is split, the events
/// are the same (pieces of data apart). Memory is bounded by the limits, time is linear. Every failure is
/// kBadRequest and final.
class MultipartParser {
 public:
  /// `events` must outlive the parser.
  MultipartParser(std::string_view boundary, MultipartEvents& events, MultipartLimits limits = {});

  Result<void> Feed(std::string_view bytes);

  /// False while all that has come is something else than a boundary or the beginning of one.
  bool IsForm() const { return state_ != State::kPreamble || preamble_ == 0; }

  /// The body has ended; fails when the final boundary is missing.
  Result<void> Finish();

 private:
  enum class State { kPreamble, kAfterBoundary, kHeaders, kData, kEpilogue, kFailed };

  Result<void> Step(std::string_view& bytes);
  Result<void> Search(std::string_view& bytes);
  Result<void> Give(std::string_view bytes);
  Result<void> OnBoundary();
  Result<void> AfterBoundary(std::string_view& bytes);
  Result<void> Headers(std::string_view& bytes);
  Result<MultipartPart> ParseHeaders() const;

  const std::string delimiter_;  ///< CRLF "--" boundary
  MultipartEvents& events_;
  const MultipartLimits limits_;
  State state_ = State::kPreamble;
  std::size_t matched_;  ///< leading bytes of the delimiter that have been seen and held back
  std::size_t virtual_;  ///< how many of them stood before this content and are not part of it
  std::size_t parts_ = 0;
  std::size_t preamble_ = 0;
  std::string held_;  ///< the rest of a boundary's line, or a part's header
};

}  // namespace unmask::http
