// SPDX-License-Identifier: Apache-2.0
#include "model/keras/calls.hpp"

#include <fmt/format.h>

#include "model/keras/weight_file.hpp"

namespace unmask::keras {
namespace {

using nlohmann::json;

constexpr int kMaxNesting = 8;               // of lists within arguments; Keras' own layers need two
constexpr std::size_t kMaxArguments = 4096;  // of one call; DenseNet's longest has two

bool IsTriple(const json& value) {
  return value.is_array() && value.size() >= 3 && value[0].is_string() && value[1].is_number_integer() &&
         value[2].is_number_integer();
}

TensorName ReadTriple(const json& triple) {
  return {triple[0].get<std::string>(), triple[1].get<std::int64_t>(), triple[2].get<std::int64_t>()};
}

void ReadNames(const json& names, int nesting, std::vector<TensorName>& found) {
  if (nesting > kMaxNesting || found.size() > kMaxArguments)
    throw BadFile("the model names too many inputs or outputs");
  if (IsTriple(names)) {
    found.push_back(ReadTriple(names));
  } else if (names.is_array() || names.is_object()) {
    for (const json& part : names) ReadNames(part, nesting + 1, found);
  } else {
    throw BadFile(fmt::format("the model names {} as input or output", names.dump().substr(0, 60)));
  }
}

/// Keras 3: tensors are objects {"class_name": "__keras_tensor__", "config": {"keras_history": [...]}}.
void ReadArgument3(const json& value, int nesting, std::vector<Argument>& found) {
  if (nesting > kMaxNesting || found.size() > kMaxArguments) throw BadFile("a call has too many arguments");
  if (value.is_object() && value.value("class_name", json()) == "__keras_tensor__") {
    const json& history = value.at("config").at("keras_history");
    if (!IsTriple(history)) throw BadFile("a tensor's keras_history is no triple");
    found.emplace_back(ReadTriple(history));
  } else if (value.is_array()) {
    bool tensors = false;
    for (const json& part : value) tensors = tensors || part.is_object() || part.is_array();
    if (!tensors) {
      found.emplace_back(value);
      return;
    }
    for (const json& part : value) ReadArgument3(part, nesting + 1, found);
  } else {
    found.emplace_back(value);
  }
}

CallText ReadCall3(const json& node) {
  CallText call;
  for (const json& argument : node.value("args", json::array())) ReadArgument3(argument, 0, call.arguments);
  const json keywords = node.value("kwargs", json::object());
  for (const auto& [name, value] : keywords.items()) {
    std::vector<Argument> one;
    ReadArgument3(value, 0, one);
    if (one.size() == 1) call.named.emplace(name, std::move(one[0]));
    // A list of tensors by keyword counts as positional: merging layers call it `inputs`.
    else
      for (Argument& argument : one) call.arguments.push_back(std::move(argument));
  }
  return call;
}

/// Keras 2: [name, call, tensor, {keyword: value}]; a constant is ["_CONSTANT_VALUE", -1, value, {...}].
void ReadEntry2(const json& entry, CallText& call) {
  if (!entry.is_array() || entry.size() < 3 || !entry[0].is_string())
    throw BadFile(fmt::format("a call has the argument {}", entry.dump().substr(0, 60)));
  if (entry[0] == "_CONSTANT_VALUE")
    call.arguments.emplace_back(entry[2]);
  else if (IsTriple(entry))
    call.arguments.emplace_back(ReadTriple(entry));
  else
    throw BadFile(fmt::format("a call has the argument {}", entry.dump().substr(0, 60)));
  if (entry.size() < 4 || !entry[3].is_object()) return;
  for (const auto& [name, value] : entry[3].items()) {
    if (IsTriple(value) && value.size() == 3)
      call.named.emplace(name, value[0] == "_CONSTANT_VALUE" ? Argument(value[2]) : ReadTriple(value));
    else
      call.named.emplace(name, value);
  }
}

CallText ReadCall2(const json& node) {
  CallText call;
  if (node.size() > kMaxArguments) throw BadFile("a call has too many arguments");
  if (!node.empty() && node[0].is_string())
    ReadEntry2(node, call);
  else
    for (const json& entry : node) ReadEntry2(entry, call);
  return call;
}

}  // namespace

std::vector<CallText> ReadCalls(const json& layer) {
  std::vector<CallText> calls;
  const json nodes = layer.value("inbound_nodes", json::array());
  if (!nodes.is_array()) throw BadFile("a layer's inbound_nodes is no list");
  for (const json& node : nodes) {
    if (node.is_object())
      calls.push_back(ReadCall3(node));
    else if (node.is_array())
      calls.push_back(ReadCall2(node));
    else
      throw BadFile("a layer's inbound_nodes has a part that is no call");
  }
  return calls;
}

std::vector<TensorName> ReadTensorNames(const json& names) {
  std::vector<TensorName> found;
  ReadNames(names, 0, found);
  return found;
}

}  // namespace unmask::keras
