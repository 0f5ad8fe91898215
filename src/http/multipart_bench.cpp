// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "http/multipart.hpp"

namespace unmask::http {
namespace {

class CountBytes final : public MultipartEvents {
 public:
  Result<void> OnPart(const MultipartPart&) override { return {}; }
  Result<void> OnData(std::string_view bytes) override {
    count += bytes.size();
    return {};
  }
  Result<void> OnPartEnd() override { return {}; }

  std::size_t count = 0;
};

/// A file of 8 MiB in pieces of 64 KiB, as a socket gives them. `byte` fills it: a dash is what boundaries
/// begin with.
void ParseUpload(benchmark::State& state, char byte) {
  const std::string body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" +
                           std::string(8 << 20, byte) + "\r\n--b--\r\n";
  for (auto _ : state) {
    CountBytes events;
    MultipartParser parser("b", events);
    for (std::size_t at = 0; at < body.size(); at += 65536)
      benchmark::DoNotOptimize(parser.Feed(std::string_view(body).substr(at, 65536)));
    benchmark::DoNotOptimize(parser.Finish());
    benchmark::DoNotOptimize(events.count);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

BENCHMARK_CAPTURE(ParseUpload, Plain, 'x')->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(ParseUpload, FullOfDashes, '-')->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace unmask::http
