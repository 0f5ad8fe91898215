// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as model.json. A card that is accepted is one that the scorer can use.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "model/repository.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto card = unmask::ParseModelCard(std::string(reinterpret_cast<const char*>(data), size));
  if (!card) return 0;
  if (card->input.width < 16 || card->input.height > 1024) std::abort();
  // A network that runs elsewhere need not lie here.
  const bool local = !card->network_file.empty();
  if (local != card->files.contains(card->network_file)) std::abort();
  for (const float scale : card->input.scale)
    if (!(scale > 0)) std::abort();
  for (const auto& [name, hash] : card->files)
    if (name.find('/') != std::string::npos || hash.size() != 64) std::abort();
  return 0;
}
