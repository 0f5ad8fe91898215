// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/container.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace unmask::decoder {
namespace {

constexpr int kMaxElements = 100'000;

std::uint64_t BigEndian(const unsigned char* bytes, int count) {
  std::uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

Structure ReadBoxes(const MediaFile& file) {
  Structure structure;
  bool index = false;
  std::uint64_t at = 0;
  for (int i = 0; i < kMaxElements && at < file.size(); ++i) {
    std::array<unsigned char, 16> header{};
    const std::size_t got = file.ReadAt(at, header);
    if (got < 8) break;
    std::uint64_t size = BigEndian(header.data(), 4);
    const bool is_moov = std::memcmp(header.data() + 4, "moov", 4) == 0;
    if (size == 1) size = BigEndian(header.data() + 8, 8);
    if (size == 0) size = file.size() - at;  // to the end of the file
    if (size < 8) break;                     // garbage, which the demuxer may still make sense of
    const bool whole = size <= file.size() - at;
    if (is_moov && whole) index = true;
    if (!whole) {
      structure.truncated = true;
      break;
    }
    at += size;
  }
  // When the walk ended in garbage, the demuxer may know better.
  structure.no_index = !index && (structure.truncated || at >= file.size());
  return structure;
}

// An EBML number of 1 to 8 bytes; nothing when it is all ones, which means unknown, or broken.
struct EbmlNumber {
  int length = 0;
  std::optional<std::uint64_t> value;
};

EbmlNumber ReadEbmlNumber(const unsigned char* bytes) {
  int length = 1;
  while (length <= 8 && !(bytes[0] & (0x80 >> (length - 1)))) ++length;
  if (length > 8) return {};
  const std::uint64_t mask = (std::uint64_t{1} << (7 * length)) - 1;
  const std::uint64_t value = BigEndian(bytes, length) & mask;
  return {length, value == mask ? std::nullopt : std::optional(value)};
}

Structure ReadSegment(const MediaFile& file) {
  std::array<unsigned char, 16> header{};
  file.ReadAt(0, header);
  const EbmlNumber ebml = ReadEbmlNumber(header.data() + 4);
  if (!ebml.value || *ebml.value > 4096) return {};
  const std::uint64_t segment = 4 + static_cast<std::uint64_t>(ebml.length) + *ebml.value;
  header = {};
  file.ReadAt(segment, header);
  if (BigEndian(header.data(), 4) != 0x18538067) return {};
  const EbmlNumber size = ReadEbmlNumber(header.data() + 4);
  if (!size.value) return {};
  const std::uint64_t begin = segment + 4 + static_cast<std::uint64_t>(size.length);
  return {.truncated = begin > file.size() || *size.value > file.size() - begin};
}

Structure ReadRiff(const MediaFile& file) {
  std::array<unsigned char, 8> header{};
  file.ReadAt(0, header);
  std::uint64_t size = 0;
  for (int i = 7; i >= 4; --i) size = size << 8 | header[static_cast<std::size_t>(i)];
  return {.truncated = 8 + size > file.size()};
}

}  // namespace

Structure ReadStructure(const MediaFile& file, Kind kind) {
  switch (kind) {
    case Kind::kMp4:
    case Kind::kMov:
      return ReadBoxes(file);
    case Kind::kMatroska:
    case Kind::kWebm:
      return ReadSegment(file);
    case Kind::kAvi:
      return ReadRiff(file);
    default:
      return {};
  }
}

}  // namespace unmask::decoder
