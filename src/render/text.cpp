// SPDX-License-Identifier: Apache-2.0
#include "render/text.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace unmask {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

/// Takes one character off the front. Broken UTF-8 (RFC 3629: overlong, surrogates, beyond U+10FFFF, cut off)
/// costs one byte and gives U+FFFD.
char32_t TakeCharacter(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  std::size_t length = 1;
  char32_t character = first;
  char32_t least = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2, character = first & 0x1F, least = 0x80;
  } else if ((first & 0xF0) == 0xE0) {
    length = 3, character = first & 0x0F, least = 0x800;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4, character = first & 0x07, least = 0x10000;
  } else if (first >= 0x80) {
    text.remove_prefix(1);
    return kReplacement;
  }
  bool valid = text.size() >= length;
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) & 0xC0) == 0x80;
    character = (character << 6) | (byte(i) & 0x3F);
  }
  valid = valid && character >= least && character <= 0x10FFFF && (character < 0xD800 || character > 0xDFFF);
  text.remove_prefix(valid ? length : 1);
  return valid ? character : kReplacement;
}

void Append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

/// Characters that show nothing of their own and change how others look: controls, line and paragraph
/// separators, and the marks of the bidirectional algorithm (Unicode UAX 9), which can make a name read
/// backwards.
bool IsUnsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200B || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF ||
         (c >= 0xE0000 && c <= 0xE007F);
}

void AppendEscaped(std::string& out, char32_t c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c < 0x100) {
    out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c));
  } else {
    out += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(c));
  }
}

/// From Unicode's East Asian Width (UAX 11), by blocks: good enough to keep columns straight.
std::size_t WidthOf(char32_t c) {
  static constexpr std::array<std::pair<char32_t, char32_t>, 6> kNarrowless = {{{0x0300, 0x036F},
                                                                                {0x200C, 0x200D},
                                                                                {0x20D0, 0x20FF},
                                                                                {0xFE00, 0xFE0F},
                                                                                {0xFE20, 0xFE2F},
                                                                                {0xE0100, 0xE01EF}}};
  static constexpr std::array<std::pair<char32_t, char32_t>, 11> kWide = {{{0x1100, 0x115F},
                                                                           {0x2E80, 0x303E},
                                                                           {0x3041, 0xA4CF},
                                                                           {0xAC00, 0xD7A3},
                                                                           {0xF900, 0xFAFF},
                                                                           {0xFE30, 0xFE4F},
                                                                           {0xFF00, 0xFF60},
                                                                           {0xFFE0, 0xFFE6},
                                                                           {0x1F300, 0x1F64F},
                                                                           {0x1F680, 0x1FAFF},
                                                                           {0x20000, 0x3FFFD}}};
  for (const auto& [first, last] : kNarrowless)
    if (c >= first && c <= last) return 0;
  for (const auto& [first, last] : kWide)
    if (c >= first && c <= last) return 2;
  return 1;
}

}  // namespace

std::string EscapeForTerminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char32_t c = TakeCharacter(text);
    if (IsUnsafe(c))
      AppendEscaped(out, c);
    else
      Append(out, c);
  }
  return out;
}

std::string EscapeForHtml(std::string_view text) {
  std::string out;
  for (const char c : EscapeForTerminal(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += WidthOf(TakeCharacter(text));
  return width;
}

std::string Shorten(std::string_view text, std::size_t columns) {
  if (DisplayWidth(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::vector<char32_t> characters;
  while (!text.empty()) characters.push_back(TakeCharacter(text));

  const std::size_t head_columns = (columns - 1) / 2;
  const std::size_t tail_columns = columns - 1 - head_columns;
  std::string head;
  for (std::size_t i = 0, used = 0; i < characters.size(); ++i) {
    used += WidthOf(characters[i]);
    if (used > head_columns) break;
    Append(head, characters[i]);
  }
  std::size_t begin = characters.size();
  for (std::size_t used = 0; begin > 0; --begin) {
    used += WidthOf(characters[begin - 1]);
    if (used > tail_columns) break;
  }
  std::string out = head + "…";
  for (std::size_t i = begin; i < characters.size(); ++i) Append(out, characters[i]);
  return out;
}

std::string FormatSeconds(double seconds) {
  const auto tenths = static_cast<std::int64_t>(std::llround(seconds * 10));
  if (tenths < 600) return fmt::format("{}.{} s", tenths / 10, tenths % 10);
  const std::int64_t minutes = tenths / 600;
  const std::int64_t rest = tenths % 600;
  if (minutes < 60) return fmt::format("{}:{:02}.{}", minutes, rest / 10, rest % 10);
  return fmt::format("{}:{:02}:{:02}.{}", minutes / 60, minutes % 60, rest / 10, rest % 10);
}

std::string FormatBytes(unsigned long long bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) value /= 1000, ++unit;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace unmask
