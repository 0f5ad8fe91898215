// SPDX-License-Identifier: Apache-2.0
// Activation functions, as layers and as the `activation` of other layers.
#include <cmath>

#include <fmt/format.h>
#include <openvino/op/add.hpp>
#include <openvino/op/clamp.hpp>
#include <openvino/op/elu.hpp>
#include <openvino/op/exp.hpp>
#include <openvino/op/gelu.hpp>
#include <openvino/op/hsigmoid.hpp>
#include <openvino/op/hswish.hpp>
#include <openvino/op/log_softmax.hpp>
#include <openvino/op/minimum.hpp>
#include <openvino/op/mish.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/selu.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/softmax.hpp>
#include <openvino/op/softplus.hpp>
#include <openvino/op/softsign.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/tanh.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

using nlohmann::json;
using Node = ov::Output<ov::Node>;

template <typename Op, typename... More>
Value Apply(const Value& value, const More&... more) {
  return {std::make_shared<Op>(value.node, more...), value.planar};
}

Value Linear(const LayerCall&, const Value& v) { return v; }
Value Relu(const LayerCall&, const Value& v) { return Apply<ov::op::v0::Relu>(v); }
Value Relu6(const LayerCall&, const Value& v) { return Apply<ov::op::v0::Clamp>(v, 0.0, 6.0); }
Value Sigmoid(const LayerCall&, const Value& v) { return Apply<ov::op::v0::Sigmoid>(v); }
Value Tanh(const LayerCall&, const Value& v) { return Apply<ov::op::v0::Tanh>(v); }
Value Swish(const LayerCall&, const Value& v) { return Apply<ov::op::v4::Swish>(v); }
Value HardSwish(const LayerCall&, const Value& v) { return Apply<ov::op::v4::HSwish>(v); }
Value Exponential(const LayerCall&, const Value& v) { return Apply<ov::op::v0::Exp>(v); }
Value Softplus(const LayerCall&, const Value& v) { return Apply<ov::op::v4::SoftPlus>(v); }
Value Softsign(const LayerCall&, const Value& v) { return Apply<ov::op::v9::SoftSign>(v); }
Value Mish(const LayerCall&, const Value& v) { return Apply<ov::op::v4::Mish>(v); }
Value EluOf(const Value& v, double alpha) { return Apply<ov::op::v0::Elu>(v, alpha); }

Value Leaky(const Value& v, double slope) {
  return Apply<ov::op::v0::PRelu>(v, ConstantOf(Array{{1}, {static_cast<float>(slope)}}));
}

/// Of the last axis in Keras' order.
template <typename Op>
Value OverChannels(const Value& v) {
  const auto rank = v.node.get_partial_shape().rank();
  if (v.planar) return {std::make_shared<Op>(v.node, 1), true};
  return {std::make_shared<Op>(v.node, rank.get_length() - 1), false};
}

Value GeluOf(const Value& v, bool approximate) {
  return Apply<ov::op::v7::Gelu>(
      v, approximate ? ov::op::GeluApproximationMode::TANH : ov::op::GeluApproximationMode::ERF);
}

/// clip(x / 6 + 1/2) since Keras 3; clip(x / 5 + 1/2) before.
Value HardSigmoid(const LayerCall& call, const Value& v) {
  if (call.keras >= 3) return Apply<ov::op::v5::HSigmoid>(v);
  const Node scaled = std::make_shared<ov::op::v1::Multiply>(v.node, ConstantOf(0.2F));
  const Node moved = std::make_shared<ov::op::v1::Add>(scaled, ConstantOf(0.5F));
  return {std::make_shared<ov::op::v0::Clamp>(moved, 0.0, 1.0), v.planar};
}

Value Selu(const LayerCall&, const Value& v) {
  // Klambauer et al. 2017, the constants of Keras.
  return Apply<ov::op::v0::Selu>(v, ConstantOf(Array{{1}, {1.6732632423543772F}}),
                                 ConstantOf(Array{{1}, {1.0507009873554805F}}));
}

using Function = Value (*)(const LayerCall&, const Value&);

const std::map<std::string, Function>& Functions() {
  static const std::map<std::string, Function> functions = {
      {"linear", Linear},
      {"relu", Relu},
      {"relu6", Relu6},
      {"sigmoid", Sigmoid},
      {"tanh", Tanh},
      {"swish", Swish},
      {"silu", Swish},
      {"hard_swish", HardSwish},
      {"hard_silu", HardSwish},
      {"hard_sigmoid", HardSigmoid},
      {"exponential", Exponential},
      {"softplus", Softplus},
      {"softsign", Softsign},
      {"mish", Mish},
      {"selu", Selu},
      {"elu", [](const LayerCall&, const Value& v) { return EluOf(v, 1); }},
      {"leaky_relu", [](const LayerCall&, const Value& v) { return Leaky(v, 0.2); }},
      {"gelu", [](const LayerCall&, const Value& v) { return GeluOf(v, false); }},
      {"softmax", [](const LayerCall&, const Value& v) { return OverChannels<ov::op::v8::Softmax>(v); }},
      {"log_softmax",
       [](const LayerCall&, const Value& v) { return OverChannels<ov::op::v5::LogSoftmax>(v); }},
  };
  return functions;
}

Value ActivationLayer(LayerCall& call) {
  return Activate(call, call.Input(), call.config.value("activation", json()));
}

/// max_value, negative_slope and threshold of Keras' ReLU: x above the threshold, slope * (x - threshold)
/// below.
Value ReluLayer(LayerCall& call) {
  const Value input = call.Input();
  const double slope = call.Get("negative_slope", 0.0);
  const double threshold = call.Get("threshold", 0.0);
  const double most = call.Get("max_value", HUGE_VAL);
  if (threshold != 0) call.Refuse(fmt::format("its threshold is {} (expected 0)", threshold));
  if (!(most >= 0)) call.Refuse(fmt::format("its max_value is {} (expected at least 0)", most));
  if (slope == 0 && std::isfinite(most)) return Apply<ov::op::v0::Clamp>(input, 0.0, most);
  const Value rectified = slope == 0 ? Relu(call, input) : Leaky(input, slope);
  if (!std::isfinite(most)) return rectified;
  return Apply<ov::op::v1::Minimum>(rectified, ConstantOf(static_cast<float>(most)));
}

Value LeakyReluLayer(LayerCall& call) {
  const double otherwise = 0.3;  // Keras' own
  return Leaky(call.Input(), call.config.contains("negative_slope") ? call.Get("negative_slope", otherwise)
                                                                    : call.Get("alpha", otherwise));
}

/// One slope for each value, or for each channel when height and width are shared.
Value PReluLayer(LayerCall& call) {
  const Value input{AsKeras(call.Input()).node, false};
  const auto& shape = input.node.get_partial_shape();
  if (shape.rank().is_dynamic()) call.Refuse("the shape of its input is not known");
  std::vector<std::size_t> slopes;
  for (std::int64_t i = 1; i < shape.rank().get_length(); ++i) {
    if (shape[i].is_dynamic()) call.Refuse("the size of its input is not known", "give --input-size");
    slopes.push_back(static_cast<std::size_t>(shape[i].get_length()));
  }
  for (const int axis : call.Get("shared_axes", std::vector<int>())) {
    if (axis < 1 || static_cast<std::size_t>(axis) > slopes.size())
      call.Refuse("shared_axes has no such axis");
    slopes[static_cast<std::size_t>(axis) - 1] = 1;
  }
  const Node slope = ConstantOf(call.weights.Take("alpha", slopes));
  const Node positive = std::make_shared<ov::op::v0::Relu>(input.node);
  const Node negative = std::make_shared<ov::op::v1::Subtract>(input.node, positive);
  const Node scaled = std::make_shared<ov::op::v1::Multiply>(negative, slope);
  return {std::make_shared<ov::op::v1::Add>(positive, scaled), false};
}

template <Function function>
Value Operation(LayerCall& call) {
  return function(call, call.Input());
}

Value SoftmaxLayer(LayerCall& call) {
  const Value input = AsKeras(call.Input());
  const auto rank = input.node.get_partial_shape().rank().get_length();
  auto axis = call.Get<std::int64_t>("axis", -1);
  if (axis < 0) axis += rank;
  if (axis < 1 || axis >= rank) call.Refuse(fmt::format("its axis is {}", axis));
  return {std::make_shared<ov::op::v8::Softmax>(input.node, axis), false};
}

}  // namespace

Value Activate(const LayerCall& call, const Value& value, const json& activation) {
  if (activation.is_null()) return value;
  if (activation.is_string()) {
    const auto found = Functions().find(activation.get<std::string>());
    if (found == Functions().end())
      call.Refuse(fmt::format("the activation '{}' is not known", activation.get<std::string>()),
                  "use one of Keras' own, or save the model as ONNX or SavedModel");
    return found->second(call, value);
  }
  // {"class_name": "function", "config": "relu"}, or a layer that serves as a function.
  const std::string kind = activation.is_object() ? activation.value("class_name", "") : "";
  if (kind == "function" && activation.contains("config") && activation["config"].is_string())
    return Activate(call, value, activation["config"]);
  if ((kind == "ReLU" || kind == "LeakyReLU" || kind == "ELU" || kind == "Softmax") &&
      activation.contains("config") && activation["config"].is_object()) {
    LayerCall inner{.where = call.where,
                    .kind = kind,
                    .config = activation["config"],
                    .arguments = {{.tensor = true, .value = value, .constant = {}}},
                    .named = {},
                    .weights = call.weights,
                    .keras = call.keras};
    return AllLayerBuilders().at(kind)(inner);
  }
  call.Refuse(fmt::format("its activation is {} (expected the name of one of Keras' own)",
                          activation.dump().substr(0, 60)));
}

void AddActivations(LayerBuilders& builders) {
  builders["Activation"] = ActivationLayer;
  builders["ReLU"] = ReluLayer;
  builders["LeakyReLU"] = LeakyReluLayer;
  builders["PReLU"] = PReluLayer;
  builders["ELU"] = [](LayerCall& call) { return EluOf(call.Input(), call.Get("alpha", 1.0)); };
  builders["Softmax"] = SoftmaxLayer;
  // keras.ops within a functional model.
  builders["Relu"] = Operation<Relu>;
  builders["Relu6"] = Operation<Relu6>;
  builders["Sigmoid"] = Operation<Sigmoid>;
  builders["Tanh"] = Operation<Tanh>;
  builders["Silu"] = Operation<Swish>;
  builders["HardSigmoid"] = Operation<HardSigmoid>;
  builders["HardSilu"] = Operation<HardSwish>;
  builders["Gelu"] = [](LayerCall& call) { return GeluOf(call.Input(), call.Get("approximate", true)); };
}

}  // namespace unmask::keras
