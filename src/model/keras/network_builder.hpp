// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <nlohmann/json.hpp>
#include <openvino/core/model.hpp>
#include <openvino/op/parameter.hpp>

#include "model/keras/layer.hpp"
#include "model/keras/weights.hpp"

namespace unmask::keras {

struct BuildOptions {
  int keras = 3;           ///< major version that wrote the file
  std::size_t height = 0;  ///< for an input whose size the config leaves open; 0: stays open
  std::size_t width = 0;
};

/// Builds the engine's network from a model's description by Keras, {"class_name": ..., "config": ...}, as it
/// computes at inference: without dropout, with batch normalisation by the statistics of training.
///
/// Inputs and outputs keep Keras' order of values and the names of their layers. Any part that is not known
/// is named with its path. Work is bounded: a description that calls nested models without end is refused.
/// Throws BadFile. One object builds one network.
class NetworkBuilder {
 public:
  NetworkBuilder(const WeightStore& weights, BuildOptions options) : weights_(weights), options_(options) {}

  std::shared_ptr<ov::Model> Build(const nlohmann::json& model);

 private:
  using Tensors = std::map<std::tuple<std::string, std::int64_t, std::int64_t>, Value>;
  using Values = std::vector<Value>;

  /// A model's outputs; without `inputs` it is the whole network, and its inputs become parameters.
  Values BuildModel(const nlohmann::json& layer, const Values* inputs, const std::string& path, int depth);
  Values BuildFunctional(const nlohmann::json& config, const Values* inputs, const std::string& path,
                         int depth);
  Values BuildSequential(const nlohmann::json& config, const Values* inputs, const std::string& path,
                         int depth);
  Values BuildCall(const nlohmann::json& layer, std::vector<Operand> arguments,
                   std::map<std::string, Operand> named, const std::string& path, int depth);

  Value MakeParameter(const nlohmann::json& shape, const std::string& name);

  const WeightStore& weights_;
  BuildOptions options_;
  ov::ParameterVector parameters_;
  std::vector<std::string> output_names_;
  std::size_t calls_ = 0;
};

/// The `layers` of a functional or sequential model's config. Throws BadFile when there are none.
const nlohmann::json& LayersOf(const nlohmann::json& config, const std::string& path);

/// The `config` of a layer or model; an empty object when it has none.
const nlohmann::json& ConfigOf(const nlohmann::json& layer);

/// Whether a layer's class is a model of layers.
bool IsModel(const nlohmann::json& layer);

/// Throws unless every layer of a model, and of the models in it, is known: says which is not, with its path.
void CheckLayers(const nlohmann::json& model, const std::string& path = {}, int depth = 0);

/// The name of a layer: its config's, or its own.
std::string NameOf(const nlohmann::json& layer);

}  // namespace unmask::keras
