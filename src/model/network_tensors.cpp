// SPDX-License-Identifier: Apache-2.0
#include "model/network_tensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unmask {
namespace {

tl::unexpected<Error> NotServable(const ModelCard& card, const std::string& why) {
  return Fail(ErrorCode::kInternal,
              fmt::format("{}:{} cannot be served to others: {}", card.name, card.version, why),
              "leave it out of --serve-model");
}

}  // namespace

Result<NetworkTensors> ProbeTensors(const ModelCard& card, Network& network) {
  if (card.ensemble) return NotServable(card, "it is an ensemble, whose members take different inputs");
  const auto shape = network.input_shape();
  if (shape.size() < 2) return NotServable(card, fmt::format("its input has the shape {}", shape));
  NetworkTensors tensors;
  tensors.input.name = card.input.name;
  for (auto at = shape.begin() + 1; at != shape.end(); ++at) {
    if (*at < 1) return NotServable(card, fmt::format("its input has the open shape {}", shape));
    tensors.input.shape.push_back(static_cast<std::size_t>(*at));
    tensors.input.size *= static_cast<std::size_t>(*at);
  }
  Tensor zeros{.name = "", .shape = {1}, .values = std::vector<float>(tensors.input.size)};
  zeros.shape.insert(zeros.shape.end(), tensors.input.shape.begin(), tensors.input.shape.end());
  const auto outputs = network.Infer(zeros);
  if (!outputs) return tl::unexpected(outputs.error());
  for (const Tensor& output : *outputs) {
    if (output.shape.empty() || output.shape.front() != 1)
      return NotServable(
          card, fmt::format("its output '{}' has the shape {} for one instance", output.name, output.shape));
    tensors.outputs.push_back({.name = output.name.empty() ? card.output_name : output.name,
                               .shape = {output.shape.begin() + 1, output.shape.end()},
                               .size = output.values.size()});
  }
  return tensors;
}

}  // namespace unmask
