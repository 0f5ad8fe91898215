// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <span>

#include "media/decoder/heif_outline.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto outline = unmask::decoder::ReadHeifOutline(std::span(data, size));
  if (outline && outline->coding.size() != 4) std::abort();
  return 0;
}
