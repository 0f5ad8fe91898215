// SPDX-License-Identifier: Apache-2.0
// Layers that move values, add or leave out some, or leave all alone.
#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/slice.hpp>
#include <openvino/op/transpose.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

using Integers = std::vector<std::int64_t>;

/// What only acts in training.
Value Identity(LayerCall& call) { return call.Input(); }

/// The sizes of all dimensions but the first.
Integers SidesOf(const LayerCall& call, const Value& input) {
  const auto& shape = input.node.get_partial_shape();
  if (shape.rank().is_dynamic() || shape.rank().get_length() < 2)
    call.Refuse(fmt::format("it is given a tensor of shape {}", shape.to_string()));
  Integers sides;
  for (std::int64_t i = 1; i < shape.rank().get_length(); ++i) {
    if (shape[i].is_dynamic()) call.Refuse("the size of its input is not known", "give --input-size");
    sides.push_back(shape[i].get_length());
  }
  return sides;
}

/// The product of sizes > 0.
std::int64_t CountOf(const LayerCall& call, const Integers& sides) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // values of one picture's tensor
  std::int64_t count = 1;
  for (const std::int64_t side : sides) {
    if (side < 1 || count > kMost / side) call.Refuse("a tensor's sizes are out of range");
    count *= side;
  }
  return count;
}

/// In Keras' order of values: height, width, channels.
Value Reshaped(const LayerCall& call, const Value& input, Integers sides) {
  const Value values = AsKeras(input);
  constexpr std::size_t kMaxRank = 8;
  const std::int64_t count = CountOf(call, SidesOf(call, values));
  std::int64_t known = 1;
  for (const std::int64_t side : sides) {
    if (side == 0 || side < -1 || known > count / std::abs(side) || sides.size() > kMaxRank)
      call.Refuse("its target shape does not fit its input");
    if (side > 0) known *= side;
  }
  const auto open = std::count(sides.begin(), sides.end(), -1);
  if (open > 1 || (open == 1 ? count % known != 0 : known != count))
    call.Refuse(fmt::format("its target shape does not fit its input of {} values", count));
  if (open == 1) *std::find(sides.begin(), sides.end(), -1) = count / known;
  sides.insert(sides.begin(), -1);
  return {std::make_shared<ov::op::v1::Reshape>(values.node, ConstantOf(sides), false), false};
}

Value Flatten(LayerCall& call) {
  call.NeedChannelsLast();
  return Reshaped(call, call.Input(), {-1});
}

Value Reshape(LayerCall& call) { return Reshaped(call, call.Input(), call.Get<Integers>("target_shape")); }

Value Permute(LayerCall& call) {
  const Value input = AsKeras(call.Input());
  auto order = call.Get<Integers>("dims");
  order.insert(order.begin(), 0);
  if (static_cast<std::int64_t>(order.size()) != input.node.get_partial_shape().rank().get_length())
    call.Refuse("its dims do not fit its input");
  return {std::make_shared<ov::op::v1::Transpose>(input.node, ConstantOf(order)), false};
}

/// {{top, bottom}, {left, right}} of: n, [height, width], or [[top, bottom], [left, right]].
std::vector<Integers> Borders(const LayerCall& call, const std::string& key) {
  const auto& value = call.config.contains(key) ? call.config[key] : nlohmann::json();
  std::vector<Integers> borders;
  if (value.is_number_integer()) {
    borders.assign(2, Integers(2, value.get<std::int64_t>()));
  } else if (value.is_array()) {
    for (const auto& side : value)
      borders.push_back(side.is_array() ? side.get<Integers>() : Integers(2, side.get<std::int64_t>()));
  }
  bool good = borders.size() == 2;
  for (const Integers& border : borders)
    good = good && border.size() == 2 && std::all_of(border.begin(), border.end(), [](auto n) {
             return n >= 0 && n <= 4096;  // pixels
           });
  if (!good) call.Refuse(fmt::format("its {} is {}", key, value.dump().substr(0, 60)));
  return borders;
}

Value ZeroPadding2D(LayerCall& call) {
  call.NeedChannelsLast();
  const auto borders = Borders(call, "padding");
  const Integers before{0, 0, borders[0][0], borders[1][0]}, after{0, 0, borders[0][1], borders[1][1]};
  return {std::make_shared<ov::op::v1::Pad>(AsPlanar(call.Input(4)).node, ConstantOf(before),
                                            ConstantOf(after), ConstantOf(0.0F), ov::op::PadMode::CONSTANT),
          true};
}

Value Cropping2D(LayerCall& call) {
  call.NeedChannelsLast();
  const auto borders = Borders(call, "cropping");
  const Value input = AsPlanar(call.Input(4));
  const Integers sides = SidesOf(call, input);
  const Integers begin{borders[0][0], borders[1][0]};
  const Integers end{sides[1] - borders[0][1], sides[2] - borders[1][1]};
  if (end[0] <= begin[0] || end[1] <= begin[1]) call.Refuse("it leaves nothing of its input");
  return {std::make_shared<ov::op::v8::Slice>(input.node, ConstantOf(begin), ConstantOf(end),
                                              ConstantOf(Integers{1, 1}), ConstantOf(Integers{2, 3})),
          true};
}

/// To height and width in pixels. Samples at pixel centres, without smoothing, as Keras does.
Value Interpolated(const LayerCall& call, const Value& input, const Integers& size) {
  using Interpolate = ov::op::v11::Interpolate;
  const auto how = call.Get<std::string>("interpolation", "nearest");
  Interpolate::InterpolateAttrs attributes;
  attributes.shape_calculation_mode = Interpolate::ShapeCalcMode::SIZES;
  if (how == "nearest") {
    attributes.mode = Interpolate::InterpolateMode::NEAREST;
    attributes.nearest_mode = Interpolate::NearestMode::ROUND_PREFER_CEIL;
  } else if (how == "bilinear") {
    attributes.mode = Interpolate::InterpolateMode::LINEAR_ONNX;
  } else {
    call.Refuse(fmt::format("its interpolation is '{}' (expected nearest or bilinear)", how));
  }
  attributes.coordinate_transformation_mode = Interpolate::CoordinateTransformMode::HALF_PIXEL;
  return {std::make_shared<Interpolate>(input.node, ConstantOf(size), ConstantOf(Integers{2, 3}), attributes),
          true};
}

Value UpSampling2D(LayerCall& call) {
  call.NeedChannelsLast();
  const Value input = AsPlanar(call.Input(4));
  const auto factors = call.Pair("size", 1);
  const Integers sides = SidesOf(call, input);
  return Interpolated(
      call, input,
      {sides[1] * static_cast<std::int64_t>(factors[0]), sides[2] * static_cast<std::int64_t>(factors[1])});
}

Value Resizing(LayerCall& call) {
  call.NeedChannelsLast();
  for (const char* key : {"crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"})
    if (call.Get(key, false)) call.Refuse(fmt::format("it has {} (expected none)", key));
  nlohmann::json config = call.config;
  if (!config.contains("interpolation")) config["interpolation"] = "bilinear";
  const LayerCall resize{.where = call.where,
                         .kind = call.kind,
                         .config = config,
                         .arguments = call.arguments,
                         .named = {},
                         .weights = call.weights,
                         .keras = call.keras};
  const Integers size{call.Get<std::int64_t>("height"), call.Get<std::int64_t>("width")};
  if (size[0] < 1 || size[1] < 1 || size[0] > 4096 || size[1] > 4096) call.Refuse("its size is out of range");
  return Interpolated(resize, AsPlanar(call.Input(4)), size);
}

}  // namespace

void AddShapes(LayerBuilders& builders) {
  for (const char* kind : {"Dropout", "SpatialDropout2D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
                           "FixedDropout", "ActivityRegularization", "RandomFlip", "RandomRotation",
                           "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness"})
    builders[kind] = Identity;
  builders["Flatten"] = Flatten;
  builders["Reshape"] = Reshape;
  builders["Permute"] = Permute;
  builders["ZeroPadding2D"] = ZeroPadding2D;
  builders["Cropping2D"] = Cropping2D;
  builders["UpSampling2D"] = UpSampling2D;
  builders["Resizing"] = Resizing;
}

}  // namespace unmask::keras
