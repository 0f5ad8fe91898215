// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "serving/fake_network.hpp"
#include "serving/kserve.hpp"
#include "serving/tf_serving.hpp"

/// The first byte chooses the protocol; for KServe with a binary header the next two are its length.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unmask::serving;
  static const auto network = FakeServed();
  if (size < 3) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 3, size - 3);
  if (data[0] == 't') {
    if (const auto question = ReadTfPredict(body, network->input(), 8))
      if (question->values.size() != question->count * network->input().size) std::abort();
    return 0;
  }
  const std::string length = std::to_string(data[1] + 256 * data[2]);
  const auto question = ReadKserveQuestion(body, data[0] == 'b' ? &length : nullptr, *network, 8);
  if (question && question->values.size() != question->count * network->input().size) std::abort();
  return 0;
}
