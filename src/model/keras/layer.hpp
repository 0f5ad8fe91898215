// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <openvino/core/node_output.hpp>

#include "model/keras/weights.hpp"

namespace unmask::keras {

/// A tensor of the network that is being built. Keras keeps channels last (NHWC); the engine's convolutions
/// want them second. A tensor stays in the engine's order from one such layer to the next, and is turned back
/// where the order of values matters.
struct Value {
  ov::Output<ov::Node> node;
  bool planar = false;  ///< four dimensions, stored NCHW, although Keras means NHWC
};

Value AsPlanar(const Value& value);  ///< of four dimensions
Value AsKeras(const Value& value);   ///< in the order that Keras means

/// An argument of a layer's call: a tensor, or a constant of the config.
struct Operand {
  bool tensor = false;
  Value value;
  nlohmann::json constant;
};

/// One call of one layer: what its builder needs. Methods throw BadFile that names the layer.
class LayerCall {
 public:
  std::string where;                     ///< the layer's path, for errors
  std::string kind;                      ///< its class
  const nlohmann::json& config;          ///< of the layer
  std::vector<Operand> arguments;        ///< positional ones, lists flattened
  std::map<std::string, Operand> named;  ///< keyword arguments
  LayerWeights weights;
  int keras = 3;  ///< major version that wrote the file: some defaults differ

  /// The only tensor that comes in, of `rank` dimensions (0: any).
  Value Input(std::size_t rank = 0) const;
  /// All tensors that come in; at least one.
  std::vector<Value> Inputs() const;

  /// The size of the last dimension, in Keras' order. Throws when the config leaves it open.
  std::size_t Channels(const Value& value) const;

  /// A number, text, truth value or list of the config. Throws when it is absent or of another type.
  template <typename T>
  T Get(const std::string& key) const {
    const auto found = config.find(key);
    if (found == config.end()) Refuse("its config has no '" + key + "'");
    return As<T>(*found, key);
  }
  template <typename T>
  T Get(const std::string& key, const T& otherwise) const {
    const auto found = config.find(key);
    return found == config.end() || found->is_null() ? otherwise : As<T>(*found, key);
  }

  /// Two numbers >= `least` for height and width: [a, b], or a for both.
  std::vector<std::size_t> Pair(const std::string& key, std::size_t least) const;

  /// Throws unless the layer keeps channels last, as the whole reader does.
  void NeedChannelsLast() const;

  /// Whether `padding` is "same"; false for "valid", the default. Throws for anything else.
  bool PadsToSame() const;

  [[noreturn]] void Refuse(const std::string& why, const std::string& hint = {}) const;

 private:
  template <typename T>
  T As(const nlohmann::json& value, const std::string& key) const try {
    return value.get<T>();
  } catch (const nlohmann::json::exception&) {
    Refuse("its config has " + value.dump().substr(0, 60) + " for '" + key + "'");
  }
};

using LayerBuilder = Value (*)(LayerCall&);
using LayerBuilders = std::map<std::string, LayerBuilder>;

/// Every layer that can be built, by the name of its class in Keras.
const LayerBuilders& AllLayerBuilders();

/// `activation` of a config (a name, an object, or null) on a value.
Value Activate(const LayerCall& call, const Value& value, const nlohmann::json& activation);

/// A constant of the network; takes the array's values as they are.
ov::Output<ov::Node> ConstantOf(const Array& array);
ov::Output<ov::Node> ConstantOf(float value);
ov::Output<ov::Node> ConstantOf(const std::vector<std::int64_t>& values);

// What AllLayerBuilders() is put together from, a file each.
void AddConvolutions(LayerBuilders& builders);
void AddActivations(LayerBuilders& builders);
void AddPooling(LayerBuilders& builders);
void AddNormalizations(LayerBuilders& builders);
void AddShapes(LayerBuilders& builders);
void AddMerges(LayerBuilders& builders);

}  // namespace unmask::keras
