// SPDX-License-Identifier: Apache-2.0
// Layers that take the mean or maximum of windows, or of all pixels.
#include <openvino/op/avg_pool.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_mean.hpp>

#include "model/keras/layer.hpp"

namespace unmask::keras {
namespace {

struct Window {
  ov::Shape size;
  ov::Strides strides;
  ov::op::PadType padding;
};

Window WindowOf(const LayerCall& call) {
  call.NeedChannelsLast();
  const bool same = call.PadsToSame();
  const bool own = call.config.contains("strides") && !call.config["strides"].is_null();
  return {ov::Shape(call.Pair("pool_size", 1)), ov::Strides(call.Pair(own ? "strides" : "pool_size", 1)),
          same ? ov::op::PadType::SAME_UPPER : ov::op::PadType::VALID};
}

Value MaxPooling2D(LayerCall& call) {
  const Window window = WindowOf(call);
  const ov::Shape none{0, 0};
  const auto pool = std::make_shared<ov::op::v8::MaxPool>(AsPlanar(call.Input(4)).node, window.strides,
                                                          ov::Strides{1, 1}, none, none, window.size,
                                                          ov::op::RoundingType::FLOOR, window.padding);
  return {pool->output(0), true};
}

/// What padding adds does not count.
Value AveragePooling2D(LayerCall& call) {
  const Window window = WindowOf(call);
  const ov::Shape none{0, 0};
  return {
      std::make_shared<ov::op::v1::AvgPool>(AsPlanar(call.Input(4)).node, window.strides, none, none,
                                            window.size, true, ov::op::RoundingType::FLOOR, window.padding),
      true};
}

template <typename Op>
Value Global(LayerCall& call) {
  call.NeedChannelsLast();
  const bool keep = call.Get("keepdims", false);
  const Value input = AsPlanar(call.Input(4));
  return {std::make_shared<Op>(input.node, ConstantOf(std::vector<std::int64_t>{2, 3}), keep), keep};
}

}  // namespace

void AddPooling(LayerBuilders& builders) {
  builders["MaxPooling2D"] = MaxPooling2D;
  builders["AveragePooling2D"] = AveragePooling2D;
  builders["GlobalAveragePooling2D"] = Global<ov::op::v1::ReduceMean>;
  builders["GlobalMaxPooling2D"] = Global<ov::op::v1::ReduceMax>;
}

}  // namespace unmask::keras
