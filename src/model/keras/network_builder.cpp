// SPDX-License-Identifier: Apache-2.0
#include "model/keras/network_builder.hpp"

#include <optional>

#include <fmt/format.h>
#include <openvino/core/except.hpp>
#include <openvino/op/result.hpp>

#include "model/keras/calls.hpp"

namespace unmask::keras {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;               // models within models
constexpr std::size_t kMaxCalls = 20'000;  // of layers; EfficientNet-B7 has about 800
constexpr std::int64_t kMaxSide = 65'536;  // of an input's dimension

std::string KindOf(const json& layer) {
  if (!layer.is_object() || !layer.contains("class_name") || !layer["class_name"].is_string())
    throw BadFile("a layer of the model has no class_name");
  return layer["class_name"].get<std::string>();
}

std::string Below(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "/" + name;
}

/// batch_input_shape of Keras 1 and 2, batch_shape of Keras 3.
const json* InputShapeOf(const json& config) {
  for (const char* key : {"batch_shape", "batch_input_shape"})
    if (config.is_object() && config.contains(key) && config[key].is_array()) return &config[key];
  return nullptr;
}

[[noreturn]] void RefuseKind(const std::string& kind, const std::string& path) {
  if (kind == "Lambda")
    throw BadFile(
        fmt::format("layer '{}' (Lambda) holds Python code, which is never run from a model file", path),
        "replace it by layers of Keras' own (e.g. Rescaling, Normalization, Resizing) and save again");
  throw BadFile(fmt::format("layer '{}' is a {}, which is not known", path, kind),
                "export the model as ONNX or SavedModel (model.export), or build it of known layers "
                "(docs/models.md lists them)");
}

[[noreturn]] void RefuseModel(const std::string& kind) {
  throw BadFile(fmt::format("the model is a {} (expected Sequential or Functional)", kind),
                "export it as ONNX or SavedModel (model.export)");
}

/// Custom classes may share a name with Keras' own.
void CheckModule(const json& layer, const std::string& kind, const std::string& path) {
  if (!layer.contains("module") || !layer["module"].is_string()) return;
  const std::string module = layer["module"];
  for (const std::string own :
       {"builtins", "keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras"})
    if (module == own || module.starts_with(own + ".")) return;
  throw BadFile(fmt::format("layer '{}' is a {} of {}, not of Keras", path, kind, module),
                "export the model as ONNX or SavedModel (model.export)");
}

}  // namespace

const json& ConfigOf(const json& layer) {
  static const json kNone = json::object();
  return layer.contains("config") ? layer["config"] : kNone;
}

bool IsModel(const json& layer) {
  const std::string kind = KindOf(layer);
  return kind == "Functional" || kind == "Model" || kind == "Sequential";
}

std::string NameOf(const json& layer) {
  const json& config = ConfigOf(layer);
  for (const json* holder : {&layer, &config})
    if (holder->is_object() && holder->contains("name") && (*holder)["name"].is_string())
      return (*holder)["name"].get<std::string>();
  return KindOf(layer);
}

const json& LayersOf(const json& config, const std::string& path) {
  const json* layers = &config;  // a list alone: Sequential of Keras 1
  if (config.is_object()) {
    if (!config.contains("layers"))
      throw BadFile(fmt::format("model '{}' has no layers in its config", path),
                    "a subclassed model cannot be rebuilt: export it as ONNX or SavedModel (model.export)");
    layers = &config["layers"];
  }
  if (!layers->is_array() || layers->empty() || layers->size() > kMaxCalls)
    throw BadFile(fmt::format("model '{}' has no list of 1 to {} layers", path, kMaxCalls));
  return *layers;
}

void CheckLayers(const json& model, const std::string& path, int depth) {
  if (depth > kMaxDepth) throw BadFile(fmt::format("models are nested deeper than {}", kMaxDepth));
  if (!IsModel(model)) RefuseModel(KindOf(model));
  for (const json& layer : LayersOf(ConfigOf(model), path)) {
    const std::string kind = KindOf(layer), below = Below(path, NameOf(layer));
    CheckModule(layer, kind, below);
    if (IsModel(layer))
      CheckLayers(layer, below, depth + 1);
    else if (kind != "InputLayer" && !AllLayerBuilders().contains(kind))
      RefuseKind(kind, below);
  }
}

std::shared_ptr<ov::Model> NetworkBuilder::Build(const json& model) {
  const Values outputs = BuildModel(model, nullptr, "", 0);
  ov::ResultVector results;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto result = std::make_shared<ov::op::v0::Result>(AsKeras(outputs[i]).node);
    const std::string name = i < output_names_.size() ? output_names_[i] : fmt::format("output_{}", i);
    result->set_friendly_name(name);
    result->output(0).add_names({name});
    results.push_back(std::move(result));
  }
  return std::make_shared<ov::Model>(results, parameters_, NameOf(model));
}

NetworkBuilder::Values NetworkBuilder::BuildModel(const json& layer, const Values* inputs,
                                                  const std::string& path, int depth) {
  if (depth > kMaxDepth) throw BadFile(fmt::format("models are nested deeper than {}", kMaxDepth));
  const std::string kind = KindOf(layer);
  const json& config = ConfigOf(layer);
  if (kind == "Sequential") return BuildSequential(config, inputs, path, depth);
  if (kind == "Functional" || kind == "Model") return BuildFunctional(config, inputs, path, depth);
  RefuseModel(kind);
}

NetworkBuilder::Values NetworkBuilder::BuildSequential(const json& config, const Values* inputs,
                                                       const std::string& path, int depth) {
  const json& layers = LayersOf(config, path);
  std::optional<Value> value;
  if (inputs != nullptr) {
    if (inputs->size() != 1)
      throw BadFile(fmt::format("model '{}' is given {} inputs", path, inputs->size()));
    value = (*inputs)[0];
  }
  for (const json& layer : layers) {
    const bool input = KindOf(layer) == "InputLayer";
    if (!value) {
      const json* shape = InputShapeOf(ConfigOf(layer));
      if (shape == nullptr && config.is_object() && config.contains("build_input_shape") &&
          config["build_input_shape"].is_array())
        shape = &config["build_input_shape"];
      if (shape == nullptr && IsModel(layer)) {  // the inner model knows its input
        value = BuildModel(layer, nullptr, Below(path, NameOf(layer)), depth + 1).at(0);
        continue;
      }
      if (shape == nullptr)
        throw BadFile(fmt::format("layer '{}' states no input shape", Below(path, NameOf(layer))),
                      "call the model once, or give its first layer an input_shape, and save it again");
      value = MakeParameter(*shape, input ? NameOf(layer) : NameOf(layer) + "_input");
    }
    if (input) continue;
    const Values outputs = BuildCall(layer, {{.tensor = true, .value = *value, .constant = {}}}, {},
                                     Below(path, NameOf(layer)), depth);
    if (outputs.size() != 1) throw BadFile(fmt::format("layer '{}' has several outputs", NameOf(layer)));
    value = outputs[0];
  }
  if (depth == 0) output_names_ = {NameOf(layers.back())};
  return {*value};
}

NetworkBuilder::Values NetworkBuilder::BuildFunctional(const json& config, const Values* inputs,
                                                       const std::string& path, int depth) {
  struct Pending {
    const json* layer;
    std::int64_t number;
    CallText text;
  };
  const json& layers = LayersOf(config, path);
  if (!config.is_object() || !config.contains("input_layers") || !config.contains("output_layers"))
    throw BadFile(fmt::format("model '{}' does not name its inputs and outputs", path));
  const auto input_names = ReadTensorNames(config["input_layers"]);
  if (inputs != nullptr && inputs->size() != input_names.size())
    throw BadFile(
        fmt::format("model '{}' is given {} inputs (expected {})", path, inputs->size(), input_names.size()));
  Tensors tensors;
  for (std::size_t i = 0; i < input_names.size(); ++i) {
    Value value;
    if (inputs != nullptr) {
      value = (*inputs)[i];
    } else {
      const json* shape = nullptr;
      for (const json& layer : layers)
        if (NameOf(layer) == input_names[i].layer) shape = InputShapeOf(ConfigOf(layer));
      if (shape == nullptr) throw BadFile(fmt::format("input '{}' states no shape", input_names[i].layer));
      value = MakeParameter(*shape, input_names[i].layer);
    }
    tensors[{input_names[i].layer, input_names[i].call, input_names[i].tensor}] = value;
  }

  std::vector<Pending> pending;
  for (const json& layer : layers) {
    if (KindOf(layer) == "InputLayer") continue;
    auto calls = ReadCalls(layer);
    for (std::size_t i = 0; i < calls.size(); ++i)
      pending.push_back({&layer, static_cast<std::int64_t>(i), std::move(calls[i])});
  }
  if (pending.size() > kMaxCalls) throw BadFile(fmt::format("model '{}' has too many calls", path));

  const auto resolve = [&](const Argument& argument) -> std::optional<Operand> {
    if (const auto* constant = std::get_if<json>(&argument))
      return Operand{.tensor = false, .value = {}, .constant = *constant};
    const auto& name = std::get<TensorName>(argument);
    const auto found = tensors.find({name.layer, name.call, name.tensor});
    if (found == tensors.end()) return std::nullopt;
    return Operand{.tensor = true, .value = found->second, .constant = {}};
  };
  const auto compute = [&](const Pending& call) {
    std::vector<Operand> arguments;
    std::map<std::string, Operand> named;
    for (const Argument& argument : call.text.arguments) {
      auto operand = resolve(argument);
      if (!operand) return false;
      arguments.push_back(std::move(*operand));
    }
    for (const auto& [name, argument] : call.text.named) {
      auto operand = resolve(argument);
      if (!operand) return false;
      named.emplace(name, std::move(*operand));
    }
    const std::string name = NameOf(*call.layer);
    const Values outputs =
        BuildCall(*call.layer, std::move(arguments), std::move(named), Below(path, name), depth);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      tensors[{name, call.number, static_cast<std::int64_t>(i)}] = outputs[i];
    return true;
  };
  // Layers stand in an order in which nearly all can be computed at once; shared ones need another round.
  while (!pending.empty()) {
    const std::size_t before = pending.size();
    std::erase_if(pending, compute);
    if (pending.size() == before)
      throw BadFile(fmt::format("layer '{}' needs a tensor that no layer gives",
                                Below(path, NameOf(*pending.front().layer))));
  }

  Values outputs;
  for (const TensorName& name : ReadTensorNames(config["output_layers"])) {
    const auto found = tensors.find({name.layer, name.call, name.tensor});
    if (found == tensors.end()) throw BadFile(fmt::format("no layer gives the output '{}'", name.layer));
    outputs.push_back(found->second);
    if (depth == 0) output_names_.push_back(name.layer);
  }
  if (outputs.empty()) throw BadFile(fmt::format("model '{}' has no output", path));
  return outputs;
}

NetworkBuilder::Values NetworkBuilder::BuildCall(const json& layer, std::vector<Operand> arguments,
                                                 std::map<std::string, Operand> named,
                                                 const std::string& path, int depth) {
  if (++calls_ > kMaxCalls) throw BadFile(fmt::format("the network calls more than {} layers", kMaxCalls));
  const std::string kind = KindOf(layer);
  CheckModule(layer, kind, path);
  if (IsModel(layer)) {
    Values inputs;
    for (const Operand& argument : arguments)
      if (argument.tensor) inputs.push_back(argument.value);
    return BuildModel(layer, &inputs, path, depth + 1);
  }
  const auto builder = AllLayerBuilders().find(kind);
  if (builder == AllLayerBuilders().end()) RefuseKind(kind, path);
  LayerCall call{.where = path,
                 .kind = kind,
                 .config = ConfigOf(layer),
                 .arguments = std::move(arguments),
                 .named = std::move(named),
                 .weights = weights_.Of(path),
                 .keras = options_.keras};
  if (!call.config.is_object()) call.Refuse("its config is no object");
  try {
    const Value value = builder->second(call);
    if (!call.weights.empty())
      call.Refuse("the file holds more weights for it than its config says",
                  "save the whole model again, so that config and weights belong together");
    return {value};
  } catch (const ov::Exception& e) {
    call.Refuse(fmt::format("the engine refuses it: {}", e.what()));
  } catch (const json::exception& e) {
    call.Refuse(fmt::format("its config cannot be used: {}", e.what()));
  }
}

Value NetworkBuilder::MakeParameter(const json& shape, const std::string& name) {
  std::vector<ov::Dimension> sides;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].is_null()) {
      const std::size_t given = shape.size() != 4 ? 0
                                : i == 1          ? options_.height
                                : i == 2          ? options_.width
                                                  : 0;
      sides.emplace_back(given == 0 ? ov::Dimension::dynamic()
                                    : ov::Dimension(static_cast<std::int64_t>(given)));
      continue;
    }
    const std::int64_t side = shape[i].is_number_integer() ? shape[i].get<std::int64_t>() : 0;
    if (side < 1 || side > kMaxSide)
      throw BadFile(fmt::format("input '{}' has the shape {}", name, shape.dump().substr(0, 60)));
    sides.emplace_back(side);
  }
  if (sides.empty() || sides.size() > 8) throw BadFile(fmt::format("input '{}' has no usable shape", name));
  auto parameter = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, ov::PartialShape(sides));
  parameter->set_friendly_name(name);
  parameter->output(0).set_names({name});
  parameters_.push_back(parameter);
  return {parameter->output(0), false};
}

}  // namespace unmask::keras
