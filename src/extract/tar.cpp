// SPDX-License-Identifier: Apache-2.0
#include "extract/tar.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <fmt/format.h>

namespace unmask {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kLongestName = 100;
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 33;  // 11 octal digits

struct Field {
  std::size_t at;
  std::size_t size;
};
// Places of the fields in a header, from POSIX.1-1988, "Extended tar Format".
constexpr Field kMode{100, 8};
constexpr Field kUser{108, 8};
constexpr Field kGroup{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr std::size_t kMagic = 257;

void PutOctal(std::string& header, Field field, std::uint64_t value) {
  const std::string digits = fmt::format("{:0{}o}", value, field.size - 1);
  std::copy(digits.begin(), digits.end(), header.begin() + static_cast<std::ptrdiff_t>(field.at));
}

bool IsSafe(std::string_view name) {
  const std::filesystem::path path(name);
  return !name.empty() && name.size() <= kLongestName && path.is_relative() &&
         name.find('\0') == std::string_view::npos && std::find(path.begin(), path.end(), "..") == path.end();
}

}  // namespace

Result<std::string> TarHeader(std::string_view name, std::uint64_t bytes) {
  if (!IsSafe(name))
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected a relative name of at most {} bytes for a tar archive, found '{}'",
                            kLongestName, name));
  if (bytes >= kMostBytes)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("a file in a tar archive may have 8 GiB at most, '{}' has {} bytes", name, bytes),
                "write into a folder instead");
  std::string header(kBlock, '\0');
  std::copy(name.begin(), name.end(), header.begin());
  PutOctal(header, kMode, 0644);
  PutOctal(header, kUser, 0);
  PutOctal(header, kGroup, 0);
  PutOctal(header, kSize, bytes);
  PutOctal(header, kTime, 0);
  header[kType] = '0';
  header.replace(kMagic, 8, std::string_view("ustar\00000", 8));
  // The sum counts its own field as spaces and ends in a zero and a space.
  header.replace(kChecksum.at, kChecksum.size, kChecksum.size, ' ');
  const unsigned sum = std::accumulate(header.begin(), header.end(), 0U, [](unsigned so_far, char c) {
    return so_far + static_cast<unsigned char>(c);
  });
  header.replace(kChecksum.at, 7, fmt::format("{:06o}", sum) + '\0');
  return header;
}

std::string TarPadding(std::uint64_t bytes) { return std::string((kBlock - bytes % kBlock) % kBlock, '\0'); }

std::string TarEnd() { return std::string(2 * kBlock, '\0'); }

}  // namespace unmask
