// SPDX-License-Identifier: Apache-2.0
#include "compat/web_upload/secure_filename.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "http/message.hpp"

namespace unmask::compat {
namespace {

constexpr std::uint32_t kFirstFolded = 0xa0, kFirstWide = 0xff01, kLastWide = 0xff5e;

/// U+00A0 to U+017F in ASCII: their compatibility decomposition (Unicode 15, NFKD) without the marks.
constexpr std::array<std::string_view, 0x180 - kFirstFolded> kFolded{
    " ", "",  "",  "",  "",  "",  "",  "",  " ", "",   "a",  "",   "",  "",   "",   " ", "",  "",  "2",
    "3", " ", "",  "",  "",  " ", "1", "o", "",  "14", "12", "34", "",  "A",  "A",  "A", "A", "A", "A",
    "",  "C", "E", "E", "E", "E", "I", "I", "I", "I",  "",   "N",  "O", "O",  "O",  "O", "O", "",  "",
    "U", "U", "U", "U", "Y", "",  "",  "a", "a", "a",  "a",  "a",  "a", "",   "c",  "e", "e", "e", "e",
    "i", "i", "i", "i", "",  "n", "o", "o", "o", "o",  "o",  "",   "",  "u",  "u",  "u", "u", "y", "",
    "y", "A", "a", "A", "a", "A", "a", "C", "c", "C",  "c",  "C",  "c", "C",  "c",  "D", "d", "",  "",
    "E", "e", "E", "e", "E", "e", "E", "e", "E", "e",  "G",  "g",  "G", "g",  "G",  "g", "G", "g", "H",
    "h", "",  "",  "I", "i", "I", "i", "I", "i", "I",  "i",  "I",  "",  "IJ", "ij", "J", "j", "K", "k",
    "",  "L", "l", "L", "l", "L", "l", "L", "l", "",   "",   "N",  "n", "N",  "n",  "N", "n", "n", "",
    "",  "O", "o", "O", "o", "O", "o", "",  "",  "R",  "r",  "R",  "r", "R",  "r",  "S", "s", "S", "s",
    "S", "s", "S", "s", "T", "t", "T", "t", "",  "",   "U",  "u",  "U", "u",  "U",  "u", "U", "u", "U",
    "u", "U", "u", "W", "w", "Y", "y", "Y", "Z", "z",  "Z",  "z",  "Z", "z",  "s",
};

/// The next code point of UTF-8, leniently: nothing is built from what comes out but ASCII.
std::uint32_t TakeCodePoint(std::string_view& text) {
  const auto byte = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  if (byte < 0xc0) return byte;
  std::uint32_t value = byte & (byte >= 0xf0 ? 0x07u : byte >= 0xe0 ? 0x0fu : 0x1fu);
  for (int more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1; more > 0 && !text.empty(); --more) {
    if ((static_cast<unsigned char>(text.front()) & 0xc0) != 0x80) break;
    value = value << 6 | (static_cast<unsigned char>(text.front()) & 0x3fu);
    text.remove_prefix(1);
  }
  return value;
}

std::string ToAscii(std::string_view text) {
  std::string ascii;
  while (!text.empty()) {
    const auto point = TakeCodePoint(text);
    if (point < 0x80)
      ascii += static_cast<char>(point);
    else if (point >= kFirstFolded && point < kFirstFolded + kFolded.size())
      ascii += kFolded[point - kFirstFolded];
    else if (point >= kFirstWide && point <= kLastWide)
      ascii += static_cast<char>(point - kFirstWide + 0x21);
  }
  return ascii;
}

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f); }

bool IsKept(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
         c == '-';
}

}  // namespace

std::string SecureFilename(std::string_view name) {
  std::string joined;
  bool gap = false;
  for (char c : ToAscii(name)) {
    if (c == '/') c = ' ';
    if (IsSpace(c)) {
      gap = true;
      continue;
    }
    if (std::exchange(gap, false) && !joined.empty()) joined += '_';
    joined += c;
  }
  std::erase_if(joined, [](char c) { return !IsKept(c); });
  const auto first = std::min(joined.find_first_not_of("._"), joined.size());
  return joined.substr(first, joined.find_last_not_of("._") + 1 - first);
}

bool HasPictureExtension(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const auto extension = name.substr(dot + 1);
  return http::EqualsIgnoreCase(extension, "jpg") || http::EqualsIgnoreCase(extension, "jpeg") ||
         http::EqualsIgnoreCase(extension, "png");
}

}  // namespace unmask::compat
