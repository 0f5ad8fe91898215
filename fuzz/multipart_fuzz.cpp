// SPDX-License-Identifier: Apache-2.0
// Parses a body whole and in pieces: the events must be the same. The first byte chooses the sizes of the
// pieces.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/multipart.hpp"
#include "http/query.hpp"

namespace {

using unmask::Result;

class Recorder : public unmask::http::MultipartEvents {
 public:
  Result<void> OnPart(const unmask::http::MultipartPart& part) override {
    log += "<" + part.name + "|" + part.filename.value_or("-") + "|" + part.content_type + ">";
    return {};
  }
  Result<void> OnData(std::string_view bytes) override {
    if (bytes.empty()) std::abort();
    log += bytes;
    return {};
  }
  Result<void> OnPartEnd() override {
    log += "</>";
    return {};
  }
  std::string log;
};

std::string Parse(std::string_view body, std::size_t piece) {
  Recorder recorder;
  unmask::http::MultipartParser parser("XX", recorder);
  for (; !body.empty(); body.remove_prefix(std::min(piece, body.size())))
    if (const auto fed = parser.Feed(body.substr(0, piece)); !fed)
      return recorder.log + "!" + fed.error().message;
  if (const auto finished = parser.Finish(); !finished) return recorder.log + "!" + finished.error().message;
  return recorder.log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (Parse(body, body.size() + 1) != Parse(body, 1u + data[0] % 32)) std::abort();
  (void)unmask::http::ParseBoundary(body);
  (void)unmask::http::ParseQuery(body);
  return 0;
}
