// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "http/message.hpp"
#include "http/query.hpp"

namespace unmask::http {
namespace {

constexpr std::size_t kMaxBoundary = 70;          // RFC 2046, 5.1.1
constexpr std::size_t kLineEnd = 2;               // bytes of CRLF
constexpr std::size_t kMaxBoundaryPadding = 256;  // white space after a boundary

tl::unexpected<Error> Bad(std::string message, std::string hint = {}) {
  return Fail(ErrorCode::kBadRequest, "multipart body: " + message, std::move(hint));
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// A token character of RFC 9110, 5.6.2.
bool IsToken(char c) {
  return IsAlphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

void SkipSpace(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::string_view TakeToken(std::string_view& text, bool slash) {
  std::size_t n = 0;
  while (n < text.size() && (IsToken(text[n]) || (slash && text[n] == '/'))) ++n;
  const auto token = text.substr(0, n);
  text.remove_prefix(n);
  return token;
}

/// `text` begins after the opening quote. A backslash escapes only a quote or a backslash: browsers send
/// others as they are, in names such as C:\clips\a.mp4.
std::optional<std::string> TakeQuoted(std::string_view& text) {
  std::string value;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\' && !text.empty() && (text.front() == '"' || text.front() == '\\')) {
      value += text.front();
      text.remove_prefix(1);
    } else {
      value += c;
    }
  }
  return std::nullopt;
}

/// RFC 8187 (formerly 5987): UTF-8'en'na%C3%AFve.png.
std::optional<std::string> DecodeExtended(std::string_view value) {
  const auto first = value.find('\'');
  const auto second = first == std::string_view::npos ? first : value.find('\'', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto decoded = PercentDecode(value.substr(second + 1));
  if (!decoded) return std::nullopt;
  const auto charset = Lower(value.substr(0, first));
  if (charset == "utf-8") return decoded;
  if (charset != "iso-8859-1") return std::nullopt;
  std::string utf8;
  for (const char c : *decoded) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8 += c;
    } else {
      utf8 += static_cast<char>(0xc0 | (byte >> 6));
      utf8 += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return utf8;
}

}  // namespace

const std::string* MediaType::Find(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return &value;
  return nullptr;
}

std::optional<MediaType> ParseMediaType(std::string_view value) {
  MediaType media;
  SkipSpace(value);
  media.type = Lower(TakeToken(value, true));
  if (media.type.empty()) return std::nullopt;
  for (;;) {
    SkipSpace(value);
    if (value.empty()) return media;
    if (value.front() != ';') return std::nullopt;
    value.remove_prefix(1);
    SkipSpace(value);
    if (value.empty() || value.front() == ';') continue;  // an empty parameter is allowed
    const auto name = Lower(TakeToken(value, false));
    if (name.empty() || value.empty() || value.front() != '=' || media.Find(name)) return std::nullopt;
    value.remove_prefix(1);
    std::string text;
    if (!value.empty() && value.front() == '"') {
      value.remove_prefix(1);
      auto quoted = TakeQuoted(value);
      if (!quoted) return std::nullopt;
      text = std::move(*quoted);
    } else {
      // Some clients do not quote: take what is not a separator.
      const auto end = std::min(value.find_first_of("; \t"), value.size());
      text = std::string(value.substr(0, end));
      value.remove_prefix(end);
    }
    media.parameters.emplace_back(name, std::move(text));
  }
}

Result<std::string> ParseBoundary(std::string_view content_type) {
  const auto media = ParseMediaType(content_type);
  if (!media || media->type != "multipart/form-data")
    return Fail(ErrorCode::kUnsupportedMedia, "expected Content-Type multipart/form-data with a boundary");
  const auto* boundary = media->Find("boundary");
  if (!boundary || boundary->empty())
    return Fail(ErrorCode::kBadRequest, "multipart/form-data without a boundary",
                "let the HTTP library set the Content-Type");
  const auto allowed = [](char c) {
    return IsAlphanumeric(c) || std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  };
  // Beyond RFC 2046, the other token characters do no harm and some clients use them.
  if (boundary->size() > kMaxBoundary || boundary->back() == ' ' ||
      !std::all_of(boundary->begin(), boundary->end(), [&](char c) { return allowed(c) || IsToken(c); }))
    return Fail(ErrorCode::kBadRequest,
                "the multipart boundary must have 1 to 70 characters of RFC 2046's set");
  return *boundary;
}

MultipartParser::MultipartParser(std::string_view boundary, MultipartEvents& events, MultipartLimits limits)
    : delimiter_(fmt::format("\r\n--{}", boundary)),
      events_(events),
      limits_(limits),
      matched_(kLineEnd),  // the first boundary may stand at the body's start
      virtual_(kLineEnd) {}

Result<void> MultipartParser::Feed(std::string_view bytes) {
  if (state_ == State::kFailed) return Bad("fed after a failure");
  while (!bytes.empty()) {
    if (auto step = Step(bytes); !step) {
      state_ = State::kFailed;
      return step;
    }
  }
  return {};
}

Result<void> MultipartParser::Finish() {
  if (state_ == State::kEpilogue) return {};
  const bool began = state_ != State::kPreamble;
  state_ = State::kFailed;
  return began ? Bad("the final boundary is missing", "the upload ended early, or the length is wrong")
               : Bad("the boundary of the Content-Type does not occur");
}

Result<void> MultipartParser::Step(std::string_view& bytes) {
  switch (state_) {
    case State::kPreamble:
    case State::kData:
      return Search(bytes);
    case State::kAfterBoundary:
      return AfterBoundary(bytes);
    case State::kHeaders:
      return Headers(bytes);
    case State::kEpilogue:
      bytes = {};
      return {};
    case State::kFailed:
      break;
  }
  return Bad("fed after a failure");
}

/// Looks for the delimiter. It holds only one CR, its first byte, so a failed match can begin again only at a
/// later CR, and what was held back is plain data.
Result<void> MultipartParser::Search(std::string_view& bytes) {
  const std::string_view delimiter = delimiter_;
  if (matched_ > 0) {
    const auto wanted = delimiter.substr(matched_);
    const auto common = static_cast<std::size_t>(
        std::mismatch(wanted.begin(), wanted.end(), bytes.begin(), bytes.end()).first - wanted.begin());
    if (common == wanted.size()) {
      bytes.remove_prefix(common);
      return OnBoundary();
    }
    if (common == bytes.size()) {
      matched_ += common;
      bytes = {};
      return {};
    }
    // The held bytes are data after all. Those matched in this piece are looked at again: they hold no CR.
    const auto first = std::exchange(virtual_, 0);
    const auto held = delimiter.substr(first, std::exchange(matched_, 0) - first);
    return Give(held);
  }

  const auto found = bytes.find(delimiter);
  if (found != std::string_view::npos) {
    auto given = Give(bytes.substr(0, found));
    bytes.remove_prefix(found + delimiter.size());
    return given ? OnBoundary() : given;
  }
  const auto tail = bytes.substr(bytes.size() - std::min(bytes.size(), delimiter.size() - 1));
  const auto cr = tail.rfind('\r');
  if (cr != std::string_view::npos && delimiter.starts_with(tail.substr(cr))) matched_ = tail.size() - cr;
  auto given = Give(bytes.substr(0, bytes.size() - matched_));
  bytes = {};
  return given;
}

Result<void> MultipartParser::Give(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (state_ == State::kData) return events_.OnData(bytes);
  preamble_ += bytes.size();
  if (preamble_ > limits_.max_preamble)
    return Bad(fmt::format("the boundary of the Content-Type does not occur in the first {} bytes",
                           limits_.max_preamble));
  return {};
}

Result<void> MultipartParser::OnBoundary() {
  matched_ = 0;
  virtual_ = 0;
  held_.clear();
  const bool in_part = state_ == State::kData;
  state_ = State::kAfterBoundary;
  if (in_part) return events_.OnPartEnd();
  return {};
}

Result<void> MultipartParser::AfterBoundary(std::string_view& bytes) {
  held_ += bytes.front();
  bytes.remove_prefix(1);
  if (held_ == "--") {
    state_ = State::kEpilogue;
    return {};
  }
  if (held_ == "-") return {};
  if (held_.ends_with("\r\n")) {
    if (++parts_ > limits_.max_parts) return Bad(fmt::format("more than {} parts", limits_.max_parts));
    held_.clear();
    state_ = State::kHeaders;
    return {};
  }
  const char c = held_.back();
  const bool after_cr = held_.size() > 1 && held_[held_.size() - 2] == '\r';
  if ((c != ' ' && c != '\t' && c != '\r') || after_cr || held_.front() == '-')
    return Bad("a boundary is followed by something else than a line's end");
  if (held_.size() > kMaxBoundaryPadding) return Bad("too much white space after a boundary");
  return {};
}

Result<void> MultipartParser::Headers(std::string_view& bytes) {
  // Byte by byte: a header is short, and the search for its end needs no other memory.
  while (!bytes.empty()) {
    held_ += bytes.front();
    bytes.remove_prefix(1);
    if (held_ == "\r\n" || held_.ends_with("\r\n\r\n")) {
      auto part = ParseHeaders();
      if (!part) return tl::unexpected(part.error());
      held_.clear();
      state_ = State::kData;
      // In RFC 2046's grammar a part without content has no line of its own between header and delimiter.
      matched_ = virtual_ = kLineEnd;
      return events_.OnPart(*part);
    }
    if (held_.size() >= limits_.max_header_bytes)
      return Bad(fmt::format("a part's header is longer than {} bytes", limits_.max_header_bytes));
  }
  return {};
}

Result<MultipartPart> MultipartParser::ParseHeaders() const {
  MultipartPart part;
  bool disposed = false;
  std::size_t count = 0;
  std::string_view rest = held_;
  while (!rest.empty() && !rest.starts_with("\r\n")) {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (++count > limits_.max_headers)
      return Bad(fmt::format("a part has more than {} header fields", limits_.max_headers));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 ||
        !std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), IsToken))
      return Bad("a part's header line is not 'Name: value'");
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      return Bad("a part's header has a control character");
    const auto name = line.substr(0, colon);
    auto value = line.substr(colon + 1);
    SkipSpace(value);
    if (EqualsIgnoreCase(name, "Content-Disposition")) {
      if (std::exchange(disposed, true)) return Bad("a part has two Content-Disposition fields");
      const auto disposition = ParseMediaType(value);
      if (!disposition || disposition->type != "form-data")
        return Bad("a part's Content-Disposition is not form-data; name=\"...\"");
      const auto* field = disposition->Find("name");
      if (!field || field->empty()) return Bad("a part has no name");
      if (field->size() > limits_.max_name)
        return Bad(fmt::format("a part's name is longer than {} bytes", limits_.max_name));
      part.name = *field;
      if (const auto* plain = disposition->Find("filename")) part.filename = *plain;
      if (const auto* extended = disposition->Find("filename*")) {
        auto decoded = DecodeExtended(*extended);
        if (!decoded)
          return Bad("filename* is not as RFC 8187 says", "for example filename*=UTF-8''na%C3%AFve.mp4");
        part.filename = std::move(*decoded);
      }
      if (part.filename && part.filename->size() > limits_.max_filename)
        return Bad(fmt::format("a file name is longer than {} bytes", limits_.max_filename));
    } else if (EqualsIgnoreCase(name, "Content-Type")) {
      part.content_type = std::string(value);
    } else if (EqualsIgnoreCase(name, "Content-Transfer-Encoding")) {
      const auto encoding = Lower(value);
      if (encoding != "binary" && encoding != "8bit" && encoding != "7bit")
        return Bad("Content-Transfer-Encoding is not supported", "send the bytes as they are");
    }
  }
  if (!disposed) return Bad("a part has no Content-Disposition");
  return part;
}

}  // namespace unmask::http
