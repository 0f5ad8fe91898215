// SPDX-License-Identifier: Apache-2.0
#include "base/id.hpp"

#include <array>
#include <chrono>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/rand.h>

namespace unmask {
namespace {

template <std::size_t N>
std::array<unsigned char, N> RandomBytes() {
  std::array<unsigned char, N> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(N)) != 1)
    throw std::runtime_error("no randomness from OpenSSL");
  return bytes;
}

}  // namespace

std::string NewId() {
  auto b = RandomBytes<16>();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  for (int i = 0; i < 6; ++i) b[static_cast<std::size_t>(i)] = static_cast<unsigned char>(ms >> (40 - 8 * i));
  b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x70);
  b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
  std::string hex = fmt::format("{:02x}", fmt::join(b, ""));
  for (const int at : {8, 13, 18, 23}) hex.insert(static_cast<std::size_t>(at), "-");
  return hex;
}

std::string NewTraceId() { return fmt::format("{:02x}", fmt::join(RandomBytes<8>(), "")); }

}  // namespace unmask
