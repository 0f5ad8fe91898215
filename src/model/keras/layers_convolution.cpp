// SPDX-License-Identifier: Apache-2.0
// Layers that multiply by learnt kernels.
#include <fmt/format.h>
#include <openvino/op/add.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/matmul.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

struct Window {
  ov::Strides strides;
  ov::Strides dilations;
  ov::op::PadType padding;
};

Window WindowOf(const LayerCall& call) {
  call.NeedChannelsLast();
  const bool same = call.PadsToSame();
  const auto strides = call.Pair("strides", 1);
  const auto dilations =
      call.config.contains("dilation_rate") ? call.Pair("dilation_rate", 1) : std::vector<std::size_t>{1, 1};
  return {ov::Strides(strides), ov::Strides(dilations),
          same ? ov::op::PadType::SAME_UPPER : ov::op::PadType::VALID};
}

/// Keras stores [height, width, in, out]; `groups` is 0 for an engine's kernel [out, in, height, width], else
/// for [groups, out / groups, in, height, width].
Array TurnKernel(const Array& stored, std::size_t groups) {
  const std::size_t height = stored.shape[0], width = stored.shape[1], in = stored.shape[2];
  const std::size_t out = stored.shape[3];
  Array kernel{.shape = {out, in, height, width}, .values = std::vector<float>(stored.values.size())};
  if (groups > 0) kernel.shape = {groups, out / groups, in, height, width};
  const std::size_t area = height * width;
  for (std::size_t p = 0; p < area; ++p)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o)
        kernel.values[(o * in + i) * area + p] = stored.values[(p * in + i) * out + o];
  return kernel;
}

/// Keras stores [height, width, channels, multiplier], the engine wants [channels, multiplier, 1, height,
/// width].
Array TurnDepthwiseKernel(const Array& stored) {
  const std::size_t area = stored.shape[0] * stored.shape[1], channels = stored.shape[2];
  const std::size_t multiplier = stored.shape[3];
  Array kernel{.shape = {channels, multiplier, 1, stored.shape[0], stored.shape[1]},
               .values = std::vector<float>(stored.values.size())};
  for (std::size_t p = 0; p < area; ++p)
    for (std::size_t c = 0; c < channels * multiplier; ++c)
      kernel.values[c * area + p] = stored.values[p * channels * multiplier + c];
  return kernel;
}

/// Adds the layer's bias to NCHW when it has one, then its activation.
Value Complete(LayerCall& call, ov::Output<ov::Node> node, std::size_t filters) {
  if (call.Get("use_bias", true)) {
    Array bias = call.weights.Take("bias", {filters});
    bias.shape = {1, filters, 1, 1};
    node = std::make_shared<ov::op::v1::Add>(node, ConstantOf(bias));
  }
  return Activate(call, {node, true}, call.config.value("activation", nlohmann::json()));
}

Value Conv2D(LayerCall& call) {
  const Value input = AsPlanar(call.Input(4));
  const Window window = WindowOf(call);
  const std::size_t channels = call.Channels(input);
  const auto filters = call.Get<std::size_t>("filters");
  const auto groups = call.Get<std::size_t>("groups", 1);
  const auto size = call.Pair("kernel_size", 1);
  if (groups == 0 || channels % groups != 0 || filters % groups != 0)
    call.Refuse(fmt::format("{} groups do not divide {} channels and {} filters", groups, channels, filters));
  const Array stored = call.weights.Take("kernel", {size[0], size[1], channels / groups, filters});
  const ov::CoordinateDiff none{0, 0};
  ov::Output<ov::Node> node;
  if (groups == 1)
    node = std::make_shared<ov::op::v1::Convolution>(input.node, ConstantOf(TurnKernel(stored, 0)),
                                                     window.strides, none, none, window.dilations,
                                                     window.padding);
  else
    node = std::make_shared<ov::op::v1::GroupConvolution>(input.node, ConstantOf(TurnKernel(stored, groups)),
                                                          window.strides, none, none, window.dilations,
                                                          window.padding);
  return Complete(call, node, filters);
}

ov::Output<ov::Node> Depthwise(LayerCall& call, const Value& input, std::size_t channels,
                               std::size_t multiplier) {
  const Window window = WindowOf(call);
  const auto size = call.Pair("kernel_size", 1);
  const Array stored = call.weights.Take("depthwise kernel", {size[0], size[1], channels, multiplier});
  const ov::CoordinateDiff none{0, 0};
  return std::make_shared<ov::op::v1::GroupConvolution>(input.node, ConstantOf(TurnDepthwiseKernel(stored)),
                                                        window.strides, none, none, window.dilations,
                                                        window.padding);
}

Value DepthwiseConv2D(LayerCall& call) {
  const Value input = AsPlanar(call.Input(4));
  const std::size_t channels = call.Channels(input);
  const auto multiplier = call.Get<std::size_t>("depth_multiplier", 1);
  return Complete(call, Depthwise(call, input, channels, multiplier), channels * multiplier);
}

Value SeparableConv2D(LayerCall& call) {
  const Value input = AsPlanar(call.Input(4));
  const std::size_t channels = call.Channels(input);
  const auto multiplier = call.Get<std::size_t>("depth_multiplier", 1);
  const auto filters = call.Get<std::size_t>("filters");
  const auto depthwise = Depthwise(call, input, channels, multiplier);
  const Array stored = call.weights.Take("pointwise kernel", {1, 1, channels * multiplier, filters});
  const ov::CoordinateDiff none{0, 0};
  return Complete(call,
                  std::make_shared<ov::op::v1::Convolution>(depthwise, ConstantOf(TurnKernel(stored, 0)),
                                                            ov::Strides{1, 1}, none, none, ov::Strides{1, 1}),
                  filters);
}

Value Dense(LayerCall& call) {
  const Value input = AsKeras(call.Input());
  const auto units = call.Get<std::size_t>("units");
  const Array kernel = call.weights.Take("kernel", {call.Channels(input), units});
  ov::Output<ov::Node> node =
      std::make_shared<ov::op::v0::MatMul>(input.node, ConstantOf(kernel), false, false);
  if (call.Get("use_bias", true))
    node = std::make_shared<ov::op::v1::Add>(node, ConstantOf(call.weights.Take("bias", {units})));
  return Activate(call, {node, false}, call.config.value("activation", nlohmann::json()));
}

}  // namespace

void AddConvolutions(LayerBuilders& builders) {
  builders["Conv2D"] = Conv2D;
  builders["DepthwiseConv2D"] = DepthwiseConv2D;
  builders["SeparableConv2D"] = SeparableConv2D;
  builders["Dense"] = Dense;
}

}  // namespace unmask::keras
