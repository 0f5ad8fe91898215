// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/video_type.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace unmask::compat {
namespace {

constexpr std::size_t kHead = 512;
constexpr std::size_t kTsPacket = 188;  // ISO/IEC 13818-1

/// ISO/IEC 14496-12: a box of a known type comes first. The brands of still pictures are those of HEIF
/// (ISO/IEC 23008-12) and AVIF.
bool IsMp4(std::string_view head) {
  constexpr std::array<std::string_view, 6> kFirstBoxes{"ftyp", "moov", "mdat", "free", "skip", "wide"};
  constexpr std::array<std::string_view, 6> kPictures{"heic", "heix", "mif1", "msf1", "avif", "avis"};
  if (head.size() < 12) return false;
  const auto has = [](const auto& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  const auto type = head.substr(4, 4);
  return has(kFirstBoxes, type) && !(type == "ftyp" && has(kPictures, head.substr(8, 4)));
}

bool IsTransportStream(std::string_view head) {
  return head.size() > kTsPacket && head[0] == 'G' && head[kTsPacket] == 'G';
}

}  // namespace

bool LooksLikeVideo(std::string_view head) {
  using std::string_view_literals::operator""sv;
  const bool avi = head.starts_with("RIFF") && head.size() >= 12 && head.substr(8, 4) == "AVI ";
  return IsMp4(head) || avi || IsTransportStream(head) || head.starts_with("\x1a\x45\xdf\xa3"sv) ||
         head.starts_with("FLV\x01"sv) || head.starts_with("OggS"sv) || head.starts_with("\0\0\x01\xba"sv) ||
         head.starts_with("\0\0\x01\xb3"sv);
}

bool IsVideoUpload(const FormFile& file) {
  const auto& type = file.content_type;
  if (type.starts_with("video/")) return true;
  if (!type.empty() && !type.starts_with("application/octet-stream")) return false;
  const auto opened = OpenForReading(file.media.path());
  if (!opened) return false;
  std::string head(kHead, '\0');
  const auto got = ::pread(opened->get(), head.data(), head.size(), 0);
  return got > 0 && LooksLikeVideo(std::string_view(head).substr(0, static_cast<std::size_t>(got)));
}

}  // namespace unmask::compat
