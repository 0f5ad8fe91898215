// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace unmask::decoder {

/// The kinds of file that are accepted, and what libavformat or a picture library is told they are. Decided
/// by the first bytes alone, so that a playlist named .mp4 never meets a demuxer.
enum class Kind {
  kUnknown,
  kMp4,
  kMov,
  kMatroska,
  kWebm,
  kAvi,
  kJpeg,
  kPng,
  kWebp,
  kGif,
  kBmp,
  kHeif,
  kAvif
};

struct Sniffed {
  Kind kind = Kind::kUnknown;
  std::string_view hint;  ///< for kUnknown: what the file seems to be, or empty
};

/// How many bytes from the start Sniff wants to see; fewer are fine.
inline constexpr std::size_t kSniffBytes = 512;

/// Total: any bytes give an answer.
Sniffed Sniff(std::span<const unsigned char> head);

/// The container's name in reports: "mp4", "matroska", "jpeg", ...
std::string_view KindName(Kind kind);

bool IsStill(Kind kind);

}  // namespace unmask::decoder
