// SPDX-License-Identifier: Apache-2.0
#include "model/keras/meso.hpp"

#include <algorithm>
#include <utility>

namespace unmask::keras {
namespace {

using nlohmann::json;

/// Writes down a functional model layer by layer, as Keras 2 does. Layers stand in the order of the files.
class Description {
 public:
  explicit Description(std::string name) { architecture_.name = std::move(name); }

  std::string Input(int side) {
    return Add("InputLayer", "input", {{"batch_input_shape", {nullptr, side, side, 3}}}, {}, 0);
  }

  std::string Conv(const std::string& input, int filters, int size, int dilation = 1) {
    const std::string name = "conv2d_" + std::to_string(++convolutions_);
    return Add("Conv2D", name,
               {{"filters", filters},
                {"kernel_size", {size, size}},
                {"strides", {1, 1}},
                {"dilation_rate", {dilation, dilation}},
                {"padding", "same"},
                {"activation", "relu"}},
               {input}, 2);
  }

  /// Batch normalisation with Keras' epsilon, then the maximum of windows that do not overlap.
  std::string NormalisePool(const std::string& input, int pool) {
    const std::string number = std::to_string(++pools_);
    const std::string normalised =
        Add("BatchNormalization", "batch_normalization_" + number, {{"epsilon", 1e-3}}, {input}, 4);
    return Add("MaxPooling2D", "max_pooling2d_" + number,
               {{"pool_size", {pool, pool}}, {"strides", {pool, pool}}, {"padding", "same"}}, {normalised},
               0);
  }

  std::string Concatenate(const std::vector<std::string>& inputs) {
    return Add("Concatenate", "concatenate_" + std::to_string(++joins_), {{"axis", -1}}, inputs, 0);
  }

  /// P(real), of the published weights.
  void Head(const std::string& input) {
    const auto flat = Add("Flatten", "flatten", json::object(), {input}, 0);
    const auto hidden = Add("Dense", "dense_1", {{"units", 16}}, {flat}, 2);
    const auto leaky = Add("LeakyReLU", "leaky_re_lu", {{"alpha", 0.1}}, {hidden}, 0);
    Add("Dense", "dense_2", {{"units", 1}, {"activation", "sigmoid"}}, {leaky}, 2);
  }

  Architecture Finish() {
    architecture_.model = {{"class_name", "Model"},
                           {"config",
                            {{"name", architecture_.name},
                             {"layers", layers_},
                             {"input_layers", {{"input", 0, 0}}},
                             {"output_layers", {{"dense_2", 0, 0}}}}}};
    return std::move(architecture_);
  }

 private:
  std::string Add(const char* kind, const std::string& name, json config,
                  const std::vector<std::string>& inputs, std::size_t arrays) {
    config["name"] = name;
    json call = json::array();
    for (const std::string& input : inputs) call.push_back({input, 0, 0, json::object()});
    json calls = json::array();
    if (!inputs.empty()) calls.push_back(std::move(call));
    layers_.push_back({{"class_name", kind},
                       {"name", name},
                       {"config", std::move(config)},
                       {"inbound_nodes", std::move(calls)}});
    if (arrays > 0) architecture_.weighted.push_back({name, arrays});
    return name;
  }

  Architecture architecture_;
  json layers_ = json::array();
  int convolutions_ = 0;
  int pools_ = 0;
  int joins_ = 0;
};

Architecture Meso4() {
  Description net("meso4");
  auto x = net.NormalisePool(net.Conv(net.Input(256), 8, 3), 2);
  x = net.NormalisePool(net.Conv(x, 8, 5), 2);
  x = net.NormalisePool(net.Conv(x, 16, 5), 2);
  x = net.NormalisePool(net.Conv(x, 16, 5), 4);
  net.Head(x);
  return net.Finish();
}

/// Four branches of a, b, c and d channels. Files list them as Keras sorts them, by distance from the output:
/// the narrowing convolutions of the branches with two steps come first.
std::string Inception(Description& net, const std::string& input, int a, int b, int c, int d) {
  const auto narrow_b = net.Conv(input, b, 1);
  const auto narrow_c = net.Conv(input, c, 1);
  const auto narrow_d = net.Conv(input, d, 1);
  const auto branch_a = net.Conv(input, a, 1);
  const auto branch_b = net.Conv(narrow_b, b, 3);
  const auto branch_c = net.Conv(narrow_c, c, 3, 2);
  const auto branch_d = net.Conv(narrow_d, d, 3, 3);
  return net.Concatenate({branch_a, branch_b, branch_c, branch_d});
}

Architecture MesoInception4() {
  Description net("mesoinception4");
  auto x = net.NormalisePool(Inception(net, net.Input(256), 1, 4, 4, 2), 2);
  x = net.NormalisePool(Inception(net, x, 2, 4, 4, 2), 2);
  x = net.NormalisePool(net.Conv(x, 16, 5), 2);
  x = net.NormalisePool(net.Conv(x, 16, 5), 4);
  net.Head(x);
  return net.Finish();
}

std::vector<std::size_t> ArrayCounts(const Architecture& architecture) {
  std::vector<std::size_t> counts;
  for (const auto& layer : architecture.weighted) counts.push_back(layer.arrays);
  return counts;
}

}  // namespace

std::vector<std::string> ArchitectureNames() { return {"meso4", "mesoinception4"}; }

std::optional<Architecture> FindArchitecture(std::string_view name) {
  if (name == "meso4") return Meso4();
  if (name == "mesoinception4") return MesoInception4();
  return std::nullopt;
}

std::optional<Architecture> RecogniseArchitecture(const std::vector<StoredLayer>& layers) {
  std::vector<std::size_t> found;
  for (const StoredLayer& layer : layers)
    if (!layer.paths.empty()) found.push_back(layer.paths.size());
  for (const std::string& name : ArchitectureNames()) {
    auto architecture = FindArchitecture(name);
    if (ArrayCounts(*architecture) == found) return architecture;
  }
  return std::nullopt;
}

}  // namespace unmask::keras
