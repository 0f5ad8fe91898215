// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/lenient_base64.hpp"

#include <array>

#include <fmt/format.h>

namespace unmask::compat {
namespace {

constexpr std::array<std::int8_t, 256> MakeDigits() {
  std::array<std::int8_t, 256> digits{};
  for (auto& digit : digits) digit = -1;
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return digits;
}

constexpr auto kDigits = MakeDigits();

}  // namespace

Result<void> LenientBase64::Decode(std::string_view piece, std::string& out) {
  const std::size_t before = out.size();
  for (const char c : piece) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 127)
      return Fail(ErrorCode::kBadRequest, "string argument should contain only ASCII characters");
    if (done_) continue;  // only to see whether the rest is ASCII
    if (c == '=') {
      if (have_ >= 2 && have_ + ++pads_ >= 4) done_ = true;
      continue;
    }
    const std::int8_t digit = kDigits[byte];
    if (digit < 0) continue;
    pads_ = 0;
    group_ = group_ << 6 | static_cast<std::uint32_t>(digit);
    if (have_ > 0) out += static_cast<char>(group_ >> (6 - 2 * have_) & 0xff);
    have_ = (have_ + 1) % 4;
  }
  decoded_ += out.size() - before;
  return {};
}

Result<void> LenientBase64::Finish() const {
  if (done_ || have_ == 0) return {};
  if (have_ > 1) return Fail(ErrorCode::kBadRequest, "Incorrect padding", "encode the whole file at once");
  return Fail(ErrorCode::kBadRequest,
              fmt::format("Invalid base64-encoded string: number of data characters ({}) cannot be 1 more "
                          "than a multiple of 4",
                          decoded_ / 3 * 4 + 1),
              "encode the whole file at once");
}

}  // namespace unmask::compat
