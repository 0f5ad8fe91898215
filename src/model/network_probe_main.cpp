// SPDX-License-Identifier: Apache-2.0
//
// network-probe FILE SIZE...: runs a network as unmask does, for comparison with what made it. Reads 32-bit
// floats of an input of these sizes from stdin; writes a line of JSON, [{"name", "shape"}...], and the
// outputs' floats.

#include <cstdio>
#include <cstdlib>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/network.hpp"

namespace unmask {
namespace {

int Complain(const Error& error) {
  std::fprintf(stderr, "%s: %s\n%s\n", std::string(CodeName(error.code)).c_str(), error.message.c_str(),
               error.hint.c_str());
  return 1;
}

int Run(const char* file, const std::vector<std::size_t>& shape) {
  const auto network = LoadNetwork(file, {.threads = 1});
  if (!network) return Complain(network.error());
  Tensor input{.name = {}, .shape = shape, .values = {}};
  std::size_t count = 1;
  for (const std::size_t size : shape) count *= size;
  input.values.resize(count);
  if (std::fread(input.values.data(), sizeof(float), count, stdin) != count) {
    std::fprintf(stderr, "expected %zu floats on stdin\n", count);
    return 2;
  }
  const auto outputs = (*network)->Infer(input);
  if (!outputs) return Complain(outputs.error());
  nlohmann::json names = nlohmann::json::array();
  for (const Tensor& output : *outputs) names.push_back({{"name", output.name}, {"shape", output.shape}});
  std::printf("%s\n", names.dump().c_str());
  for (const Tensor& output : *outputs)
    std::fwrite(output.values.data(), sizeof(float), output.values.size(), stdout);
  return 0;
}

}  // namespace
}  // namespace unmask

int main(int argc, char** argv) {
  std::vector<std::size_t> shape;
  for (int i = 2; i < argc; ++i) shape.push_back(std::strtoul(argv[i], nullptr, 10));
  if (shape.empty()) {
    std::fprintf(stderr, "usage: network-probe FILE SIZE...\n");
    return 2;
  }
  return unmask::Run(argv[1], shape);
}
