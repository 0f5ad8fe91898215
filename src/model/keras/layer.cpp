// SPDX-License-Identifier: Apache-2.0
#include "model/keras/layer.hpp"

#include <memory>

#include <fmt/format.h>
#include <openvino/op/constant.hpp>
#include <openvino/op/transpose.hpp>

namespace unmask::keras {
namespace {

Value Turned(const Value& value, const std::vector<std::int64_t>& order, bool planar) {
  return {std::make_shared<ov::op::v1::Transpose>(value.node, ConstantOf(order)), planar};
}

}  // namespace

Value AsPlanar(const Value& value) { return value.planar ? value : Turned(value, {0, 3, 1, 2}, true); }

Value AsKeras(const Value& value) { return value.planar ? Turned(value, {0, 2, 3, 1}, false) : value; }

Value LayerCall::Input(std::size_t rank) const {
  const auto inputs = Inputs();
  if (inputs.size() != 1) Refuse(fmt::format("it is given {} tensors (expected one)", inputs.size()));
  const auto& shape = inputs[0].node.get_partial_shape();
  if (rank > 0 && (shape.rank().is_dynamic() || static_cast<std::size_t>(shape.rank().get_length()) != rank))
    Refuse(fmt::format("it is given a tensor of shape {} (expected {} dimensions)", shape.to_string(), rank));
  return inputs[0];
}

std::vector<Value> LayerCall::Inputs() const {
  std::vector<Value> inputs;
  for (const Operand& argument : arguments)
    if (argument.tensor) inputs.push_back(argument.value);
  if (inputs.empty()) Refuse("it is given no tensor");
  return inputs;
}

std::size_t LayerCall::Channels(const Value& value) const {
  const auto& shape = value.node.get_partial_shape();
  if (shape.rank().is_dynamic() || shape.rank().get_length() < 2)
    Refuse(fmt::format("it is given a tensor of shape {}", shape.to_string()));
  const auto& last = value.planar ? shape[1] : shape[shape.rank().get_length() - 1];
  if (last.is_dynamic()) Refuse("the number of its input channels is not known", "give --input-size");
  return static_cast<std::size_t>(last.get_length());
}

std::vector<std::size_t> LayerCall::Pair(const std::string& key, std::size_t least) const {
  const auto found = config.find(key);
  if (found == config.end()) Refuse("its config has no '" + key + "'");
  std::vector<std::int64_t> values;
  if (found->is_array())
    values = As<std::vector<std::int64_t>>(*found, key);
  else
    values.assign(2, As<std::int64_t>(*found, key));
  constexpr std::int64_t kMost = 4096;  // pixels; beyond any network for pictures
  for (const std::int64_t value : values)
    if (value < static_cast<std::int64_t>(least) || value > kMost) values.clear();
  if (values.size() != 2)
    Refuse(fmt::format("its config has {} for '{}' (expected two numbers in {}..{})",
                       found->dump().substr(0, 60), key, least, kMost));
  return {static_cast<std::size_t>(values[0]), static_cast<std::size_t>(values[1])};
}

void LayerCall::NeedChannelsLast() const {
  if (Get<std::string>("data_format", "channels_last") != "channels_last")
    Refuse("it keeps channels first (expected channels_last)", "save the model in the channels_last format");
}

bool LayerCall::PadsToSame() const {
  const std::string padding = Get<std::string>("padding", "valid");
  if (padding != "valid" && padding != "same")
    Refuse(fmt::format("padding is '{}' (expected valid or same)", padding));
  return padding == "same";
}

void LayerCall::Refuse(const std::string& why, const std::string& hint) const {
  throw BadFile(fmt::format("layer '{}' ({}): {}", where, kind, why), hint);
}

const LayerBuilders& AllLayerBuilders() {
  static const LayerBuilders builders = [] {
    LayerBuilders all;
    AddConvolutions(all);
    AddActivations(all);
    AddPooling(all);
    AddNormalizations(all);
    AddShapes(all);
    AddMerges(all);
    return all;
  }();
  return builders;
}

ov::Output<ov::Node> ConstantOf(const Array& array) {
  return std::make_shared<ov::op::v0::Constant>(ov::element::f32, ov::Shape(array.shape),
                                                array.values.data());
}

ov::Output<ov::Node> ConstantOf(float value) {
  return ov::op::v0::Constant::create(ov::element::f32, {}, {value});
}

ov::Output<ov::Node> ConstantOf(const std::vector<std::int64_t>& values) {
  return ov::op::v0::Constant::create(ov::element::i64, {values.size()}, values);
}

}  // namespace unmask::keras
