// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace unmask::keras {

/// The output `tensor` of the call number `call` of a layer.
struct TensorName {
  std::string layer;
  std::int64_t call = 0;
  std::int64_t tensor = 0;
};

/// What a call is given: another call's tensor, or a constant of the config.
using Argument = std::variant<TensorName, nlohmann::json>;

/// One call of a layer in a functional model, in the words of the config.
struct CallText {
  std::vector<Argument> arguments;  ///< positional ones, lists flattened
  std::map<std::string, Argument> named;
};

/// The calls of a layer: `inbound_nodes` as Keras 1, 2 or 3 write it. Throws BadFile.
std::vector<CallText> ReadCalls(const nlohmann::json& layer);

/// Tensors that a model names as its inputs or outputs: one triple, a list or an object of them.
std::vector<TensorName> ReadTensorNames(const nlohmann::json& names);

}  // namespace unmask::keras
