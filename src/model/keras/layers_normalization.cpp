// SPDX-License-Identifier: Apache-2.0
// Layers that scale values by learnt or stated numbers.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <openvino/op/add.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/mvn.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

using nlohmann::json;
using Node = ov::Output<ov::Node>;

constexpr std::size_t kMaxChannels = 65'536;  // that a config may list numbers for

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

/// A number, or one for each channel: plain, nested in lists, or as Keras 3 writes arrays of NumPy.
std::vector<float> NumbersOf(const LayerCall& call, const json& value, const std::string& key) {
  if (value.is_number()) return {value.get<float>()};
  if (value.is_object() && value.value("class_name", "") == "__numpy__")
    return NumbersOf(call, value.at("config").at("value"), key);
  std::vector<float> numbers;
  if (value.is_array())
    for (const json& part : value) {
      const auto more = NumbersOf(call, part, key);
      numbers.insert(numbers.end(), more.begin(), more.end());
      if (numbers.size() > kMaxChannels) break;
    }
  if (numbers.empty() || numbers.size() > kMaxChannels)
    call.Refuse(fmt::format("its {} is {}", key, value.dump().substr(0, 60)));
  for (const float number : numbers)
    if (!std::isfinite(number)) call.Refuse(fmt::format("its {} is not finite", key));
  return numbers;
}

Array Spread(const LayerCall& call, std::vector<float> numbers, std::size_t channels) {
  if (numbers.size() == 1) numbers.assign(channels, numbers[0]);
  if (numbers.size() != channels)
    call.Refuse(fmt::format("it has numbers for {} channels (expected {})", numbers.size(), channels));
  return {.shape = {channels}, .values = std::move(numbers)};
}

Value Rescaling(LayerCall& call) {
  const Value input = call.Input();
  const std::size_t channels = call.Channels(input);
  const json offset = call.config.value("offset", json(0.0));
  return ScaleChannels(input, Spread(call, NumbersOf(call, call.Get<json>("scale"), "scale"), channels),
                       Spread(call, NumbersOf(call, offset, "offset"), channels));
}

/// (x - mean) / standard deviation, of the training data.
Value Normalization(LayerCall& call) {
  const Value input = call.Input();
  const auto rank = input.node.get_partial_shape().rank().get_length();
  const std::size_t channels = call.Channels(input);
  const json axis = call.config.value("axis", json(-1));
  const bool whole = axis.is_null() || (axis.is_array() && axis.empty());  // one mean for all channels
  const json only = axis.is_array() && axis.size() == 1 ? axis[0] : axis;
  if (!whole && (!only.is_number_integer() || (only != -1 && only != rank - 1)))
    call.Refuse(fmt::format("it normalises axis {} (expected the last)", axis.dump()));
  Array mean, variance;
  if (call.config.contains("mean") && !call.config["mean"].is_null()) {
    mean = Spread(call, NumbersOf(call, call.config["mean"], "mean"), channels);
    variance = Spread(call, NumbersOf(call, call.Get<json>("variance"), "variance"), channels);
  } else {
    const std::vector<std::size_t> shape = whole ? std::vector<std::size_t>() : std::vector{channels};
    mean = Spread(call, call.weights.Take("mean", shape).values, channels);
    variance = Spread(call, call.weights.Take("variance", shape).values, channels);
    if (!call.weights.empty()) call.weights.Take("count", {});
  }
  const bool invert = call.Get("invert", false);
  Array factor = mean, term = mean;
  for (std::size_t i = 0; i < channels; ++i) {
    if (variance.values[i] < 0) call.Refuse(fmt::format("its variance is {}", variance.values[i]));
    const double deviation =
        std::max(std::sqrt(static_cast<double>(variance.values[i])), 1e-7);  // Keras' epsilon
    factor.values[i] = static_cast<float>(invert ? deviation : 1 / deviation);
    term.values[i] = static_cast<float>(invert ? mean.values[i] : -mean.values[i] / deviation);
  }
  return ScaleChannels(input, std::move(factor), std::move(term));
}

/// Over the channels of each pixel.
Value LayerNormalization(LayerCall& call) {
  const Value input = AsKeras(call.Input());
  const auto rank = input.node.get_partial_shape().rank().get_length();
  const json axis = call.config.value("axis", json(-1));
  const json only = axis.is_array() && axis.size() == 1 ? axis[0] : axis;
  if (!only.is_number_integer() || (only != -1 && only != rank - 1))
    call.Refuse(fmt::format("it normalises axis {} (expected the last)", axis.dump()));
  if (call.Get("rms_scaling", false)) call.Refuse("it has rms_scaling (expected none)");
  const std::size_t channels = call.Channels(input);
  Node node = std::make_shared<ov::op::v6::MVN>(input.node, ConstantOf(std::vector<std::int64_t>{-1}), true,
                                                call.Get("epsilon", 1e-3F), ov::op::MVNEpsMode::INSIDE_SQRT);
  if (call.Get("scale", true))
    node = std::make_shared<ov::op::v1::Multiply>(node, ConstantOf(call.weights.Take("gamma", {channels})));
  if (call.Get("center", true))
    node = std::make_shared<ov::op::v1::Add>(node, ConstantOf(call.weights.Take("beta", {channels})));
  return {node, false};
}

/// Of ConvNeXt in Keras: one learnt factor for each channel.
Value LayerScale(LayerCall& call) {
  const Value input = AsKeras(call.Input());
  const Array gamma = call.weights.Take("gamma", {call.Channels(input)});
  return {std::make_shared<ov::op::v1::Multiply>(input.node, ConstantOf(gamma)), false};
}

}  // namespace

void AddNormalizations(LayerBuilders& builders) {
  builders["BatchNormalization"] = BatchNormalization;
  builders["Rescaling"] = Rescaling;
  builders["Normalization"] = Normalization;
  builders["LayerNormalization"] = LayerNormalization;
  builders["LayerScale"] = LayerScale;
}

}  // namespace unmask::keras
