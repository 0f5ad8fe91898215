// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/python_json.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compat/python.hpp"

namespace unmask::compat {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 64;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendUtf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Json> Document() {
    SkipSpace();
    auto value = Value(0);
    if (!value) return value;
    SkipSpace();
    if (at_ != text_.size()) return Fault("Extra data", at_);
    return value;
  }

 private:
  tl::unexpected<Error> Fault(std::string_view what, std::size_t at) const {
    const std::string_view before = text_.substr(0, at);
    const auto newline = before.rfind('\n');
    const auto line_begin = newline == std::string_view::npos ? 0 : newline + 1;
    const auto characters = [](std::string_view s) {
      return s.size() - static_cast<std::size_t>(std::count_if(s.begin(), s.end(), IsContinuation));
    };
    return Fail(ErrorCode::kBadRequest,
                fmt::format("{}: line {} column {} (char {})", what,
                            std::count(before.begin(), before.end(), '\n') + 1,
                            characters(before.substr(line_begin)) + 1, characters(before)));
  }

  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }

  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool Take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Result<Json> Value(int depth) {
    if (depth > kMaxDepth)
      return Fail(ErrorCode::kBadRequest, "maximum recursion depth exceeded while decoding JSON");
    if (Take('"')) {
      auto text = String();
      if (!text) return tl::unexpected(text.error());
      return Json(std::move(*text));
    }
    if (Take('{')) return Object(depth);
    if (Take('[')) return Array(depth);
    if (Take("null")) return Json(nullptr);
    if (Take("true")) return Json(true);
    if (Take("false")) return Json(false);
    if (Take("NaN")) return Json(std::numeric_limits<double>::quiet_NaN());
    if (Take("Infinity")) return Json(std::numeric_limits<double>::infinity());
    if (Take("-Infinity")) return Json(-std::numeric_limits<double>::infinity());
    return Number();
  }

  Result<Json> Number() {
    std::size_t end = at_;
    const auto digits = [&] {
      const std::size_t begin = end;
      while (end < text_.size() && IsDigit(text_[end])) ++end;
      return end > begin;
    };
    if (end < text_.size() && text_[end] == '-') ++end;
    if (end < text_.size() && text_[end] == '0')
      ++end;
    else if (!digits())
      return Fault("Expecting value", at_);
    bool whole = true;
    if (const auto before = end; end < text_.size() && text_[end] == '.') {
      ++end;
      if (digits())
        whole = false;
      else
        end = before;
    }
    if (const auto before = end; end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      ++end;
      if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
      if (digits())
        whole = false;
      else
        end = before;
    }
    const char* const first = text_.data() + at_;
    const char* const last = text_.data() + end;
    at_ = end;
    std::int64_t integer = 0;
    if (whole && std::from_chars(first, last, integer).ec == std::errc()) return Json(integer);
    std::uint64_t natural = 0;
    if (whole && std::from_chars(first, last, natural).ec == std::errc()) return Json(natural);
    double number = 0;
    if (std::from_chars(first, last, number).ec == std::errc::result_out_of_range) {
      const std::string_view written(first, static_cast<std::size_t>(last - first));
      const bool tiny = written.find("e-") != written.npos || written.find("E-") != written.npos;
      number = tiny ? 0 : std::numeric_limits<double>::infinity();
      if (*first == '-') number = -number;
    }
    return Json(number);
  }

  std::optional<std::uint32_t> FourHexDigits() {
    if (text_.size() - at_ < 4) return std::nullopt;
    std::uint32_t value = 0;
    const char* const first = text_.data() + at_;
    if (std::from_chars(first, first + 4, value, 16).ptr != first + 4) return std::nullopt;
    at_ += 4;
    return value;
  }

  /// After the opening quote.
  Result<std::string> String() {
    const std::size_t begin = at_ - 1;
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) return Fault("Unterminated string starting at", begin);
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) return Fault("Invalid control character at", at_ - 1);
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ >= text_.size()) return Fault("Unterminated string starting at", begin);
      if (auto escaped = Escape(out); !escaped) return tl::unexpected(escaped.error());
    }
  }

  /// After the backslash.
  Result<void> Escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t backslash = at_ - 1;
    const char c = text_[at_++];
    if (const auto known = kNames.find(c); known != kNames.npos) {
      out += kMeanings[known];
      return {};
    }
    if (c != 'u') return Fault("Invalid \\escape", backslash);
    auto unit = FourHexDigits();
    if (!unit) return Fault("Invalid \\uXXXX escape", backslash + 1);
    if (*unit >= 0xd800 && *unit < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
      const std::size_t before = at_;
      at_ += 2;
      const auto low = FourHexDigits();
      if (low && *low >= 0xdc00 && *low < 0xe000)
        *unit = 0x10000 + ((*unit - 0xd800) << 10 | (*low - 0xdc00));
      else
        at_ = before;
    }
    if (*unit >= 0xd800 && *unit < 0xe000) *unit = 0xfffd;  // half a pair: no UTF-8 for it
    AppendUtf8(out, *unit);
    return {};
  }

  /// After the opening bracket.
  Result<Json> Array(int depth) {
    Json array = Json::array();
    SkipSpace();
    if (Take(']')) return array;
    for (;;) {
      auto value = Value(depth + 1);
      if (!value) return value;
      array.push_back(std::move(*value));
      SkipSpace();
      if (Take(']')) return array;
      if (!Take(',')) return Fault("Expecting ',' delimiter", at_);
      SkipSpace();
    }
  }

  /// After the opening brace.
  Result<Json> Object(int depth) {
    Json object = Json::object();
    SkipSpace();
    if (Take('}')) return object;
    for (;;) {
      if (!Take('"')) return Fault("Expecting property name enclosed in double quotes", at_);
      auto key = String();
      if (!key) return tl::unexpected(key.error());
      SkipSpace();
      if (!Take(':')) return Fault("Expecting ':' delimiter", at_);
      SkipSpace();
      auto value = Value(depth + 1);
      if (!value) return value;
      object[*key] = std::move(*value);
      SkipSpace();
      if (Take('}')) return object;
      if (!Take(',')) return Fault("Expecting ',' delimiter", at_);
      SkipSpace();
    }
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

void Dump(const Json& value, std::string& out) {
  if (value.is_string()) {
    out += PythonString(value.get_ref<const std::string&>(), true);
  } else if (value.is_number_float()) {
    const double number = value.get<double>();
    out += number != number                                 ? "NaN"
           : number > std::numeric_limits<double>::max()    ? "Infinity"
           : number < std::numeric_limits<double>::lowest() ? "-Infinity"
                                                            : PythonFloat(number);
  } else if (value.is_array()) {
    out += '[';
    for (bool first = true; const auto& item : value) {
      if (!std::exchange(first, false)) out += ", ";
      Dump(item, out);
    }
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    for (bool first = true; const auto& [key, item] : value.items()) {
      if (!std::exchange(first, false)) out += ", ";
      out += PythonString(key, true) + ": ";
      Dump(item, out);
    }
    out += '}';
  } else {
    out += value.dump();
  }
}

}  // namespace

Result<Json> ParsePythonJson(std::string_view text) { return Parser(text).Document(); }

std::string DumpPythonJson(const Json& value) {
  std::string out;
  Dump(value, out);
  return out;
}

std::string_view FirstCharacters(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  while (end < text.size() && (IsContinuation(text[end]) || count-- > 0)) ++end;
  return text.substr(0, end);
}

}  // namespace unmask::compat
