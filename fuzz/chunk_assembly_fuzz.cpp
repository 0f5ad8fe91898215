// SPDX-License-Identifier: Apache-2.0
// Chunks of a client of mesonet-api: the first byte of each line is its id, the rest its text. However the
// joined text is cut into pieces, the decoded bytes are the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "compat/mesonet/chunk_assembly.hpp"
#include "compat/mesonet/lenient_base64.hpp"

namespace {

using unmask::compat::ChunkId;

ChunkId IdOf(char c) {
  if (c == 'n') return {.kind = ChunkId::Kind::kNone, .python_type = "NoneType"};
  if (c >= 'a') return {.kind = ChunkId::Kind::kText, .text = std::string(1, c), .python_type = "str"};
  return {.kind = ChunkId::Kind::kNumber, .number = static_cast<long double>(c), .python_type = "int"};
}

std::string Decode(std::string_view text, std::size_t piece) {
  unmask::compat::LenientBase64 decoder;
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size())))
    if (!decoder.Decode(text.substr(0, piece), out)) return "!";
  return decoder.Finish() ? out : "!";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (Decode(rest, 1) != Decode(rest, size + 1) || Decode(rest, 3) != Decode(rest, 7)) std::abort();

  unmask::compat::ByteBudget budget(1 << 20);
  unmask::compat::ChunkAssembly assembly("/tmp", budget, {.max_bytes = 4096, .max_chunks = 16, .max_id = 4});
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.size() > 1) (void)assembly.Add(IdOf(line[0]), line.substr(1));
    if (line.size() == 1) (void)assembly.AddOther(IdOf(line[0]), "bytes");
  }
  (void)assembly.Join();
  return 0;
}
