// SPDX-License-Identifier: Apache-2.0
// Layers that make one tensor of several.
#include <algorithm>

#include <fmt/format.h>
#include <openvino/op/concat.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

Value Concatenate(LayerCall& call) {
  const auto inputs = call.Inputs();
  const auto rank = inputs[0].node.get_partial_shape().rank().get_length();
  auto axis = call.Get<std::int64_t>("axis", -1);
  if (axis < 0) axis += rank;
  const bool planar =
      rank == 4 && std::any_of(inputs.begin(), inputs.end(), [](auto& v) { return v.planar; });
  ov::OutputVector parts;
  for (const Value& input : inputs) {
    if (input.node.get_partial_shape().rank().get_length() != rank)
      call.Refuse("its inputs differ in their number of dimensions");
    parts.push_back((planar ? AsPlanar(input) : AsKeras(input)).node);
  }
  if (axis < 1 || axis >= rank) call.Refuse(fmt::format("its axis is {}", axis));
  if (planar) axis = axis == 3 ? 1 : axis + 1;
  return {std::make_shared<ov::op::v0::Concat>(parts, axis), planar};
}

}  // namespace

void AddMerges(LayerBuilders& builders) { builders["Concatenate"] = Concatenate; }

}  // namespace unmask::keras
