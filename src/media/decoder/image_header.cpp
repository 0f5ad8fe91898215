// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/image_header.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

namespace unmask::decoder {
namespace {

using Bytes = std::span<const unsigned char>;

// Reads numbers at offsets; reading beyond the end gives zero and is remembered.
class Reader {
 public:
  Reader(Bytes bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  std::uint32_t Number(std::size_t at, int size) {
    if (at > bytes_.size() || bytes_.size() - at < static_cast<std::size_t>(size)) {
      good_ = false;
      return 0;
    }
    std::uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      const unsigned char byte = bytes_[at + static_cast<std::size_t>(big_endian_ ? i : size - 1 - i)];
      value = value << 8 | byte;
    }
    return value;
  }
  std::uint32_t U8(std::size_t at) { return Number(at, 1); }
  std::uint32_t U16(std::size_t at) { return Number(at, 2); }
  std::uint32_t U24(std::size_t at) { return Number(at, 3); }
  std::uint32_t U32(std::size_t at) { return Number(at, 4); }
  bool good() const { return good_; }

 private:
  Bytes bytes_;
  bool big_endian_;
  bool good_ = true;
};

bool Is(Bytes bytes, std::size_t at, std::string_view what) {
  if (at > bytes.size() || bytes.size() - at < what.size()) return false;
  return std::equal(what.begin(), what.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; });
}

Bytes Part(Bytes bytes, std::size_t at, std::size_t size) {
  if (at >= bytes.size()) return {};
  return bytes.subspan(at, std::min(size, bytes.size() - at));
}

std::optional<ImageHeader> Sized(std::uint64_t width, std::uint64_t height, Orientation orientation) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int32_t>::max();
  if (width == 0 || height == 0 || width > kMax || height > kMax) return {};
  return ImageHeader{
      .width = static_cast<int>(width), .height = static_cast<int>(height), .orientation = orientation};
}

// Segments up to the first frame header (SOF), ITU-T T.81 annex B.
std::optional<ImageHeader> ReadJpeg(Bytes file) {
  Reader reader(file, true);
  Orientation orientation = Orientation::kUpright;
  std::size_t at = 2;
  while (at + 4 <= file.size()) {
    if (file[at] != 0xFF) {  // garbage between segments, which decoders skip
      ++at;
      continue;
    }
    const unsigned char marker = file[at + 1];
    if (marker == 0xFF) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // no length follows
      at += 2;
      continue;
    }
    if (marker == 0xD9 || marker == 0xDA) return {};  // the picture begins or ends without a frame header
    const std::size_t length = reader.U16(at + 2);
    if (length < 2) return {};
    const bool frame_header =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame_header) {
      const std::uint32_t height = reader.U16(at + 5);
      const std::uint32_t width = reader.U16(at + 7);
      if (!reader.good()) return {};
      return Sized(width, height, orientation);
    }
    if (marker == 0xE1 && Is(file, at + 4, std::string_view("Exif\0\0", 6)))
      orientation = ReadExifOrientation(Part(file, at + 4, length - 2));
    at += 2 + length;
  }
  return {};
}

std::optional<ImageHeader> ReadPng(Bytes file) {
  Reader reader(file, true);
  if (!Is(file, 12, "IHDR")) return {};
  const std::uint32_t width = reader.U32(16);
  const std::uint32_t height = reader.U32(20);
  if (!reader.good()) return {};
  Orientation orientation = Orientation::kUpright;
  // eXIf must come before the pixels (IDAT).
  std::size_t at = 8;
  while (at + 12 <= file.size()) {
    const std::size_t length = reader.U32(at);
    if (Is(file, at + 4, "IDAT")) break;
    if (Is(file, at + 4, "eXIf")) {
      orientation = ReadExifOrientation(Part(file, at + 8, length));
      break;
    }
    at += 12 + length;
  }
  auto header = Sized(width, height, orientation);
  constexpr std::uint32_t kIndexed = 3;  // colour type, PNG section 11.2.2
  if (header) header->palette = reader.U8(25) == kIndexed || reader.U8(24) == 1;
  return header;
}

std::optional<ImageHeader> ReadWebp(Bytes file) {
  Reader reader(file, false);
  if (Is(file, 12, "VP8 ")) {
    const std::uint32_t width = reader.U16(26) & 0x3FFF;
    const std::uint32_t height = reader.U16(28) & 0x3FFF;
    if (!reader.good() || !Is(file, 23, "\x9D\x01\x2A")) return {};
    return Sized(width, height, Orientation::kUpright);
  }
  if (Is(file, 12, "VP8L")) {
    const std::uint32_t bits = reader.U32(21);
    if (!reader.good() || file[20] != 0x2F) return {};
    return Sized((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, Orientation::kUpright);
  }
  if (!Is(file, 12, "VP8X")) return {};
  const bool has_exif = reader.U8(20) & 0x08;
  const std::uint32_t width = reader.U24(24) + 1;
  const std::uint32_t height = reader.U24(27) + 1;
  if (!reader.good()) return {};
  Orientation orientation = Orientation::kUpright;
  for (std::size_t at = 12; has_exif && at + 8 <= file.size();) {
    const std::size_t length = reader.U32(at + 4);
    if (Is(file, at, "EXIF")) {
      orientation = ReadExifOrientation(Part(file, at + 8, length));
      break;
    }
    at += 8 + length + length % 2;
  }
  return Sized(width, height, orientation);
}

std::optional<ImageHeader> ReadGif(Bytes file) {
  Reader reader(file, false);
  const std::uint32_t width = reader.U16(6);
  const std::uint32_t height = reader.U16(8);
  if (!reader.good()) return {};
  auto header = Sized(width, height, Orientation::kUpright);
  if (header) header->palette = true;
  return header;
}

std::optional<ImageHeader> ReadBmp(Bytes file) {
  Reader reader(file, false);
  const std::uint32_t header = reader.U32(14);
  if (header == 12) {  // OS/2
    const std::uint32_t width = reader.U16(18);
    const std::uint32_t height = reader.U16(20);
    if (!reader.good()) return {};
    return Sized(width, height, Orientation::kUpright);
  }
  const auto width = static_cast<std::int32_t>(reader.U32(18));
  const auto height = static_cast<std::int32_t>(reader.U32(22));
  if (!reader.good() || header < 40 || width < 0) return {};
  // A negative height means rows from the top; its size is what counts here.
  const std::int64_t rows = height < 0 ? -static_cast<std::int64_t>(height) : height;
  return Sized(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(rows), Orientation::kUpright);
}

}  // namespace

Orientation ReadExifOrientation(Bytes exif) {
  if (Is(exif, 0, std::string_view("Exif\0\0", 6))) exif = exif.subspan(6);
  const bool big_endian = Is(exif, 0, "MM");
  if (!big_endian && !Is(exif, 0, "II")) return Orientation::kUpright;
  Reader reader(exif, big_endian);
  constexpr std::uint32_t kOrientationTag = 0x0112;
  constexpr std::uint32_t kShort = 3;
  if (reader.U16(2) != 42) return Orientation::kUpright;
  const std::size_t directory = reader.U32(4);
  const std::uint32_t entries = reader.U16(directory);
  for (std::uint32_t i = 0; i < entries && reader.good(); ++i) {
    const std::size_t entry = directory + 2 + std::size_t{12} * i;
    if (reader.U16(entry) == kOrientationTag && reader.U16(entry + 2) == kShort)
      return FromExif(static_cast<int>(reader.U16(entry + 8)));
  }
  return Orientation::kUpright;
}

std::optional<ImageHeader> ReadImageHeader(Kind kind, Bytes file) {
  switch (kind) {
    case Kind::kJpeg:
      return ReadJpeg(file);
    case Kind::kPng:
      return ReadPng(file);
    case Kind::kWebp:
      return ReadWebp(file);
    case Kind::kGif:
      return ReadGif(file);
    case Kind::kBmp:
      return ReadBmp(file);
    default:
      return {};
  }
}

}  // namespace unmask::decoder
