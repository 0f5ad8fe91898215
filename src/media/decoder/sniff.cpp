// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/sniff.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace unmask::decoder {
namespace {

using Bytes = std::span<const unsigned char>;

bool Has(Bytes head, std::size_t at, std::string_view what) {
  return head.size() >= at + what.size() &&
         std::equal(what.begin(), what.end(), head.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
}

bool IsOneOf(Bytes head, std::size_t at, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return Has(head, at, word); });
}

// ISO/IEC 14496-12, section 4.3: the major brand, a version, and the brands that the file is compatible with.
Sniffed SniffIsoFile(Bytes head) {
  constexpr std::array<std::string_view, 2> avif = {"avif", "avis"};
  constexpr std::array<std::string_view, 11> heif = {"heic", "heix", "heim", "heis", "hevc", "hevx",
                                                     "hevm", "hevs", "mif1", "mif2", "msf1"};
  if (!Has(head, 4, "ftyp")) return {Kind::kMov, {}};
  if (IsOneOf(head, 8, avif)) return {Kind::kAvif, {}};
  if (IsOneOf(head, 8, heif)) {
    // Some encoders name only the container first.
    const bool general = Has(head, 8, "mif") || Has(head, 8, "msf");
    const std::size_t end = std::min<std::size_t>(head.size(), std::size_t{head[2]} << 8 | head[3]);
    for (std::size_t at = 16; general && at + 4 <= end; at += 4)
      if (IsOneOf(head, at, avif)) return {Kind::kAvif, {}};
    return {Kind::kHeif, {}};
  }
  if (Has(head, 8, "qt  ")) return {Kind::kMov, {}};
  return {Kind::kMp4, {}};
}

// Looks for the element DocType (0x4282) in the EBML header.
Sniffed SniffEbml(Bytes head) {
  constexpr std::string_view webm = "\x42\x82\x84webm";
  constexpr std::string_view matroska = "\x42\x82\x88matroska";
  for (std::size_t at = 4; at < std::min<std::size_t>(head.size(), 128); ++at) {
    if (Has(head, at, webm)) return {Kind::kWebm, {}};
    if (Has(head, at, matroska)) return {Kind::kMatroska, {}};
  }
  return {Kind::kUnknown, "ebml"};
}

bool LooksLikeText(Bytes head) {
  return !head.empty() && std::all_of(head.begin(), head.end(), [](unsigned char c) {
    return c == '\t' || c == '\n' || c == '\r' || c >= ' ';
  });
}

}  // namespace

Sniffed Sniff(Bytes head) {
  if (Has(head, 0, "\xFF\xD8\xFF")) return {Kind::kJpeg, {}};
  if (Has(head, 0, "\x89PNG\r\n\x1A\n")) return {Kind::kPng, {}};
  if (Has(head, 0, "GIF87a") || Has(head, 0, "GIF89a")) return {Kind::kGif, {}};
  if (Has(head, 0, "RIFF") && Has(head, 8, "WEBP")) return {Kind::kWebp, {}};
  if (Has(head, 0, "RIFF") && Has(head, 8, "AVI ")) return {Kind::kAvi, {}};
  if (Has(head, 0, "\x1A\x45\xDF\xA3")) return SniffEbml(head);
  // "BM" alone is also how many texts begin; the four bytes after the size are reserved and zero.
  if (Has(head, 0, "BM") && Has(head, 6, std::string_view("\0\0\0\0", 4))) return {Kind::kBmp, {}};
  constexpr std::array<std::string_view, 7> boxes = {"ftyp", "moov", "mdat", "free", "skip", "wide", "styp"};
  // Text cannot pass for a box: the size before its name begins with a zero byte, unless the box is huge.
  if (head.size() >= 8 && head[0] == 0 &&
      std::any_of(boxes.begin(), boxes.end(), [&](std::string_view box) { return Has(head, 4, box); }))
    return SniffIsoFile(head);

  if (Has(head, 0, "#EXTM3U")) return {Kind::kUnknown, "hls"};
  if (Has(head, 0, "%PDF")) return {Kind::kUnknown, "pdf"};
  if (Has(head, 0, "OggS")) return {Kind::kUnknown, "ogg"};
  if (Has(head, 0, "FLV")) return {Kind::kUnknown, "flv"};
  if (Has(head, 0, "ID3")) return {Kind::kUnknown, "mp3"};
  if (Has(head, 0, "PK\x03\x04")) return {Kind::kUnknown, "zip"};
  if (Has(head, 0, "II*") || Has(head, 0, std::string_view("MM\0*", 4))) return {Kind::kUnknown, "tiff"};
  // Each has a container, which begins like an ISO file, and a bare form.
  constexpr std::string_view jpeg_xl("\0\0\0\x0CJXL \r\n\x87\n", 12);
  constexpr std::string_view jpeg_2000("\0\0\0\x0CjP  \r\n\x87\n", 12);
  if (Has(head, 0, jpeg_xl) || Has(head, 0, "\xFF\x0A")) return {Kind::kUnknown, "jxl"};
  if (Has(head, 0, jpeg_2000) || Has(head, 0, "\xFF\x4F\xFF\x51")) return {Kind::kUnknown, "jpeg2000"};
  if (LooksLikeText(head)) return {Kind::kUnknown, "text"};
  return {};
}

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kMp4:
      return "mp4";
    case Kind::kMov:
      return "mov";
    case Kind::kMatroska:
      return "matroska";
    case Kind::kWebm:
      return "webm";
    case Kind::kAvi:
      return "avi";
    case Kind::kJpeg:
      return "jpeg";
    case Kind::kPng:
      return "png";
    case Kind::kWebp:
      return "webp";
    case Kind::kGif:
      return "gif";
    case Kind::kBmp:
      return "bmp";
    case Kind::kHeif:
      return "heif";
    case Kind::kAvif:
      return "avif";
    case Kind::kUnknown:
      break;
  }
  return "unknown";
}

bool IsStill(Kind kind) {
  return kind == Kind::kJpeg || kind == Kind::kPng || kind == Kind::kWebp || kind == Kind::kGif ||
         kind == Kind::kBmp || kind == Kind::kHeif || kind == Kind::kAvif;
}

}  // namespace unmask::decoder
