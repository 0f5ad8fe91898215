// SPDX-License-Identifier: Apache-2.0
// What a TensorFlow Serving, or who stands in its place, may answer: read as Python reads it, and as scores.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "compat/tf_serving/instances.hpp"
#include "compat/tf_serving/python_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = unmask::compat::ParsePythonJson(text);
  if (parsed) {  // what was written reads back as the same (broken UTF-8 is mended by the first writing)
    const auto once = unmask::compat::ParsePythonJson(unmask::compat::DumpPythonJson(*parsed));
    if (!once) std::abort();
    const auto written = unmask::compat::DumpPythonJson(*once);
    const auto twice = unmask::compat::ParsePythonJson(written);
    if (!twice || unmask::compat::DumpPythonJson(*twice) != written) std::abort();
  }
  const std::size_t count = size % 4;
  const auto scores = unmask::compat::ReadPredictions(text, count);
  if (scores && scores->size() != count) std::abort();
  return 0;
}
