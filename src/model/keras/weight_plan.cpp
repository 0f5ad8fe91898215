// SPDX-License-Identifier: Apache-2.0
#include "model/keras/weight_plan.hpp"

#include <cctype>
#include <set>

#include <fmt/format.h>

#include "model/keras/network_builder.hpp"

namespace unmask::keras {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;                // models within models, as NetworkBuilder
constexpr std::size_t kMaxWeights = 4'096;  // arrays of one layer; a nested model's together may be more

/// How many arrays a layer has: those that training changes, and the others.
struct VariableCount {
  std::size_t trained = 0;
  std::size_t other = 0;
};

VariableCount VariablesOf(const std::string& kind, const json& config) {
  const auto has = [&](const char* key) -> std::size_t { return config.value(key, true) ? 1 : 0; };
  if (kind == "Conv2D" || kind == "DepthwiseConv2D" || kind == "Dense") return {1 + has("use_bias"), 0};
  if (kind == "SeparableConv2D") return {2 + has("use_bias"), 0};
  if (kind == "BatchNormalization") return {has("scale") + has("center"), 2};
  if (kind == "LayerNormalization") return {has("scale") + has("center"), 0};
  if (kind == "PReLU" || kind == "LayerScale") return {1, 0};
  if (kind == "Normalization") return {0, config.value("mean", json()).is_null() ? 3u : 0u};
  return {};
}

std::string Below(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "/" + name;
}

bool IsTrained(const json& layer) {
  return !layer.contains("config") || !layer["config"].is_object() ||
         layer["config"].value("trainable", true);
}

/// Layers of a nested model, in the order in which their weights are listed.
struct Leaf {
  std::string path;
  VariableCount variables;
  bool trained = true;
};

void CollectLeaves(const json& model, const std::string& path, bool trained, int depth,
                   std::vector<Leaf>& leaves) {
  if (depth > kMaxDepth) throw BadFile(fmt::format("models are nested deeper than {}", kMaxDepth));
  for (const json& layer : LayersOf(ConfigOf(model), path)) {
    const std::string below = Below(path, NameOf(layer));
    const bool changes = trained && IsTrained(layer);
    if (IsModel(layer))
      CollectLeaves(layer, below, changes, depth + 1, leaves);
    else
      leaves.push_back({below, VariablesOf(layer.value("class_name", ""), ConfigOf(layer)), changes});
  }
}

void DealOut(const std::vector<std::string>& paths, const json& model, const std::string& name,
             WeightStore& store) {
  std::vector<Leaf> leaves;
  CollectLeaves(model, name, IsTrained(model), 1, leaves);
  std::map<std::string, std::vector<std::string>> dealt;
  std::size_t next = 0;
  const auto take = [&](const Leaf& leaf, std::size_t count) {
    for (; count > 0; --count, ++next)
      if (next < paths.size()) dealt[leaf.path].push_back(paths[next]);
  };
  for (const Leaf& leaf : leaves)
    if (leaf.trained) take(leaf, leaf.variables.trained);
  for (const Leaf& leaf : leaves)
    take(leaf, leaf.variables.other + (leaf.trained ? 0 : leaf.variables.trained));
  if (next != paths.size())
    throw BadFile(
        fmt::format("model '{}' has {} weights in the file (expected {})", name, paths.size(), next));
  for (auto& [path, weights] : dealt) store.Add(path, std::move(weights));
}

void PlanGroup(const WeightFile& file, const json& model, const std::string& path, const std::string& group,
               int depth, WeightStore& store) {
  if (depth > kMaxDepth) throw BadFile(fmt::format("models are nested deeper than {}", kMaxDepth));
  std::map<std::string, int> numbers;
  std::set<std::string> seen;
  for (const json& layer : LayersOf(ConfigOf(model), path)) {
    // Arithmetic between tensors is no layer: it has no number.
    const json module = layer.value("module", json());
    if (module.is_string() && module.get<std::string>().find(".ops.") != std::string::npos) continue;
    const std::string kind = SnakeCase(layer.value("class_name", ""));
    const int number = numbers[kind]++;
    const std::string below = Below(path, NameOf(layer));
    const std::string place =
        Below(group, "layers/" + kind + (number == 0 ? "" : fmt::format("_{}", number)));
    if (IsModel(layer)) {
      PlanGroup(file, layer, below, place, depth + 1, store);
      continue;
    }
    std::vector<std::string> weights;
    while (weights.size() < kMaxWeights && file.Has(fmt::format("{}/vars/{}", place, weights.size())))
      weights.push_back(fmt::format("{}/vars/{}", place, weights.size()));
    store.Add(below, std::move(weights));
  }
}

}  // namespace

WeightStore PlanListed(const WeightFile& file, const std::string& group, const json& model) {
  WeightStore store(file);
  std::map<std::string, const json*> layers;
  for (const json& layer : LayersOf(ConfigOf(model), "")) layers[NameOf(layer)] = &layer;
  for (StoredLayer& stored : StoredLayers(file, group)) {
    const auto found = layers.find(stored.name);
    if (found == layers.end()) {
      if (stored.paths.empty()) continue;
      throw BadFile(
          fmt::format("the file holds weights of '{}', which the model does not have", stored.name));
    }
    if (IsModel(*found->second))
      DealOut(stored.paths, *found->second, stored.name, store);
    else
      store.Add(stored.name, std::move(stored.paths));
  }
  return store;
}

WeightStore PlanNumbered(const WeightFile& file, const json& model) {
  WeightStore store(file);
  PlanGroup(file, model, "", "", 0, store);
  return store;
}

std::string SnakeCase(const std::string& name) {
  // As Keras: a word begins at a capital before small letters, and at a capital after a small letter.
  const auto small = [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; };
  const auto capital = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  std::string snake;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool word =
        i > 0 && capital(name[i]) && (small(name[i - 1]) || (i + 1 < name.size() && small(name[i + 1])));
    if (word) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return snake;
}

}  // namespace unmask::keras
