// SPDX-License-Identifier: Apache-2.0
// Layers that make one tensor of several, and arithmetic between tensors and constants.
#include <algorithm>

#include <fmt/format.h>
#include <openvino/op/add.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/maximum.hpp>
#include <openvino/op/minimum.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/negative.hpp>
#include <openvino/op/subtract.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

using nlohmann::json;
using Node = ov::Output<ov::Node>;

/// Tensors in one order of values, so that each meets its like: the engine's when all have four dimensions.
std::vector<Value> Aligned(const std::vector<Value>& inputs) {
  const bool pictures = std::all_of(inputs.begin(), inputs.end(), [](const Value& v) {
    return v.node.get_partial_shape().rank().get_length() == 4;
  });
  const bool planar = pictures && std::any_of(inputs.begin(), inputs.end(), [](auto& v) { return v.planar; });
  std::vector<Value> aligned;
  for (const Value& input : inputs) aligned.push_back(planar ? AsPlanar(input) : AsKeras(input));
  return aligned;
}

Value Concatenate(LayerCall& call) {
  const auto inputs = Aligned(call.Inputs());
  const auto rank = inputs[0].node.get_partial_shape().rank().get_length();
  auto axis = call.Get<std::int64_t>("axis", -1);
  if (axis < 0) axis += rank;
  if (axis < 1 || axis >= rank) call.Refuse(fmt::format("its axis is {}", axis));
  ov::OutputVector parts;
  for (const Value& input : inputs) {
    if (input.node.get_partial_shape().rank().get_length() != rank)
      call.Refuse("its inputs differ in their number of dimensions");
    parts.push_back(input.node);
  }
  const bool planar = inputs[0].planar;
  if (planar) axis = axis == 3 ? 1 : axis + 1;
  return {std::make_shared<ov::op::v0::Concat>(parts, axis), planar};
}

/// All operands of arithmetic, constants too, in their order.
std::vector<Value> Operands(LayerCall& call) {
  auto operands = call.arguments;
  for (const char* name : {"x1", "x2", "x", "y", "other"})  // how Keras and TensorFlow call the second one
    if (const auto found = call.named.find(name); found != call.named.end())
      operands.push_back(found->second);
  std::vector<Value> tensors;
  for (const Operand& operand : operands)
    if (operand.tensor) tensors.push_back(operand.value);
  if (tensors.empty()) call.Refuse("it is given no tensor");
  tensors = Aligned(tensors);
  std::vector<Value> values;
  auto tensor = tensors.begin();
  for (const Operand& operand : operands) {
    if (operand.tensor)
      values.push_back(*tensor++);
    else if (operand.constant.is_number())
      values.push_back({ConstantOf(operand.constant.get<float>()), tensors[0].planar});
    else
      call.Refuse(fmt::format("it is given {} (expected a tensor or a number)",
                              operand.constant.dump().substr(0, 60)));
  }
  return values;
}

template <typename Op>
Value Fold(LayerCall& call) {
  const auto values = Operands(call);
  Node result = values[0].node;
  for (std::size_t i = 1; i < values.size(); ++i) result = std::make_shared<Op>(result, values[i].node);
  return {result, values[0].planar};
}

template <typename Op>
Value Two(LayerCall& call) {
  if (const auto count = Operands(call).size(); count != 2)
    call.Refuse(fmt::format("it is given {} values (expected two)", count));
  return Fold<Op>(call);
}

Value Average(LayerCall& call) {
  const Value sum = Fold<ov::op::v1::Add>(call);
  const auto count = static_cast<float>(call.Inputs().size());
  return {std::make_shared<ov::op::v1::Divide>(sum.node, ConstantOf(count)), sum.planar};
}

/// Of InceptionResNetV2 in Keras 3: first + scale * second.
Value CustomScaleLayer(LayerCall& call) {
  const auto values = Operands(call);
  if (values.size() != 2) call.Refuse("it is not given two tensors");
  const Node scaled =
      std::make_shared<ov::op::v1::Multiply>(values[1].node, ConstantOf(call.Get<float>("scale")));
  return {std::make_shared<ov::op::v1::Add>(values[0].node, scaled), values[0].planar};
}

Value Negative(LayerCall& call) {
  const Value input = call.Input();
  return {std::make_shared<ov::op::v0::Negative>(input.node), input.planar};
}

/// Arithmetic of TensorFlow within a functional model of Keras 2.
Value TfOperation(LayerCall& call) {
  static const std::map<std::string, LayerBuilder> kArithmetic = {
      {"math.add", Fold<ov::op::v1::Add>},
      {"__operators__.add", Fold<ov::op::v1::Add>},
      {"math.multiply", Fold<ov::op::v1::Multiply>},
      {"math.subtract", Two<ov::op::v1::Subtract>},
      {"math.truediv", Two<ov::op::v1::Divide>},
      {"math.divide", Two<ov::op::v1::Divide>},
      {"math.maximum", Fold<ov::op::v1::Maximum>},
      {"math.minimum", Fold<ov::op::v1::Minimum>},
      {"math.negative", Negative},
  };
  const auto function = call.Get<std::string>("function");
  if (const auto found = kArithmetic.find(function); found != kArithmetic.end()) return found->second(call);
  for (const char* name : {"nn.", "math."})
    if (function.starts_with(name) && call.arguments.size() == 1)
      return Activate(call, call.Input(), function.substr(std::string(name).size()));
  call.Refuse(fmt::format("it calls TensorFlow's {}, which is not known", function),
              "export the model as ONNX or SavedModel (model.export)");
}

}  // namespace

void AddMerges(LayerBuilders& builders) {
  builders["Concatenate"] = Concatenate;
  builders["Add"] = Fold<ov::op::v1::Add>;
  builders["Multiply"] = Fold<ov::op::v1::Multiply>;
  builders["Subtract"] = Two<ov::op::v1::Subtract>;
  builders["Average"] = Average;
  builders["Maximum"] = Fold<ov::op::v1::Maximum>;
  builders["Minimum"] = Fold<ov::op::v1::Minimum>;
  builders["Divide"] = builders["TrueDivide"] = Two<ov::op::v1::Divide>;
  builders["Negative"] = Negative;
  builders["CustomScaleLayer"] = CustomScaleLayer;
  builders["TFOpLambda"] = TfOperation;
}

}  // namespace unmask::keras
