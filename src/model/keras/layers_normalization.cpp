// SPDX-License-Identifier: Apache-2.0
// Layers that scale values by learnt or stated numbers.
#include <cmath>

#include <fmt/format.h>
#include <openvino/op/add.hpp>
#include <openvino/op/multiply.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

using Node = ov::Output<ov::Node>;

/// value * factor + term, one of each for every channel; exact arithmetic is the caller's.
Value ScaleChannels(const Value& value, Array factor, Array term) {
  if (value.planar) factor.shape = term.shape = {1, factor.values.size(), 1, 1};
  const Node scaled = std::make_shared<ov::op::v1::Multiply>(value.node, ConstantOf(factor));
  return {std::make_shared<ov::op::v1::Add>(scaled, ConstantOf(term)), value.planar};
}

/// With the statistics of training, whatever the config says of training.
Value BatchNormalization(LayerCall& call) {
  const Value input = call.Input();
  const auto rank = input.node.get_partial_shape().rank().get_length();
  const auto found = call.config.find("axis");
  // Keras 1 and 2 wrote [3] or 3, Keras 3 writes -1.
  const auto axis = found != call.config.end() && found->is_array() && found->size() == 1
                        ? (*found)[0].get<std::int64_t>()
                        : call.Get<std::int64_t>("axis", -1);
  if (axis != -1 && axis != rank - 1)
    call.Refuse(fmt::format("it normalises axis {} (expected the last)", axis));
  const std::size_t channels = call.Channels(input);
  const double epsilon = call.Get("epsilon", 1e-3);
  Array ones{.shape = {channels}, .values = std::vector<float>(channels, 1)};
  Array zeros{.shape = {channels}, .values = std::vector<float>(channels, 0)};
  const Array gamma = call.Get("scale", true) ? call.weights.Take("gamma", {channels}) : ones;
  const Array beta = call.Get("center", true) ? call.weights.Take("beta", {channels}) : zeros;
  const Array mean = call.weights.Take("moving mean", {channels});
  const Array variance = call.weights.Take("moving variance", {channels});
  Array factor = ones, term = zeros;
  for (std::size_t i = 0; i < channels; ++i) {
    const double spread = variance.values[i] + epsilon;
    if (!(spread > 0)) call.Refuse(fmt::format("its variance is {}", variance.values[i]));
    const double scale = gamma.values[i] / std::sqrt(spread);
    factor.values[i] = static_cast<float>(scale);
    term.values[i] = static_cast<float>(beta.values[i] - mean.values[i] * scale);
  }
  return ScaleChannels(input, std::move(factor), std::move(term));
}

}  // namespace

void AddNormalizations(LayerBuilders& builders) { builders["BatchNormalization"] = BatchNormalization; }

}  // namespace unmask::keras
