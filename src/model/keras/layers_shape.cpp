// SPDX-License-Identifier: Apache-2.0
// Layers that move values, or leave them alone.
#include <fmt/format.h>
#include <openvino/op/reshape.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

/// What only acts in training.
Value Identity(LayerCall& call) { return call.Input(); }

/// In Keras' order of values: height, width, channels.
Value Flatten(LayerCall& call) {
  call.NeedChannelsLast();
  const Value input = AsKeras(call.Input());
  const auto& shape = input.node.get_partial_shape();
  if (shape.rank().is_dynamic() || shape.rank().get_length() < 2)
    call.Refuse(fmt::format("it is given a tensor of shape {}", shape.to_string()));
  std::int64_t size = 1;
  for (std::int64_t i = 1; i < shape.rank().get_length(); ++i) {
    if (shape[i].is_dynamic()) call.Refuse("the size of its input is not known", "give --input-size");
    size *= shape[i].get_length();
  }
  return {std::make_shared<ov::op::v1::Reshape>(input.node, ConstantOf(std::vector<std::int64_t>{-1, size}),
                                                false),
          false};
}

}  // namespace

void AddShapes(LayerBuilders& builders) {
  for (const char* kind : {"Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
                           "ActivityRegularization"})
    builders[kind] = Identity;
  builders["Flatten"] = Flatten;
}

}  // namespace unmask::keras
