// SPDX-License-Identifier: Apache-2.0
// The part of an import that touches the model file, in a process of its own.
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>

#include "base/file.hpp"
#include "model/golden.hpp"
#include "model/import/confine.hpp"
#include "model/import/request_json.hpp"
#include "model/keras/keras_model.hpp"
#include "model/keras/meso.hpp"
#include "model/scorer.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;
namespace op = ov::opset13;
using nlohmann::json;
using Node = ov::Output<ov::Node>;

/// Why the model cannot be used.
struct Unusable {
  std::string message;
  std::string hint;
};

/// The engine's words without where in its code they come from.
std::string WordsOf(const std::exception& e) {
  std::istringstream lines(e.what());
  std::string words, line;
  while (std::getline(lines, line))
    if (!line.empty() && !line.starts_with("Exception from")) words += (words.empty() ? "" : " ") + line;
  return words.substr(0, 600);
}

std::shared_ptr<ov::Model> ReadFile(const ImportRequest& request) {
  if (IsKerasFile(request.file)) {
    auto model = ReadKerasModel(request.file, {.architecture = request.architecture,
                                               .height = static_cast<std::size_t>(request.height),
                                               .width = static_cast<std::size_t>(request.width)});
    if (!model) throw Unusable{model.error().message, model.error().hint};
    return *model;
  }
  if (!request.architecture.empty())
    throw Unusable{"--arch is for Keras files of weights alone", "leave it out"};
  ov::Core core;
  try {
    return core.read_model(request.file.string());
  } catch (const std::exception& e) {
    throw Unusable{fmt::format("no reader of models understands it: {}", WordsOf(e)),
                   "expected ONNX, OpenVINO IR, TFLite, a SavedModel's folder, or Keras .h5 or .keras"};
  }
}

/// The published weights of MesoNet say all by being themselves: RGB in 0..1, P(real), faces with 10 % on
/// each side as in its authors' pipeline.
void TakeArchitecturesFacts(const ov::Model& model, ImportRequest& request) {
  const auto names = keras::ArchitectureNames();
  if (std::find(names.begin(), names.end(), model.get_friendly_name()) == names.end()) return;
  if (request.colour.empty()) request.colour = "rgb";
  if (!request.scale && !request.mean) request.scale = {255, 255, 255};
  if (request.output.empty()) request.output = "p_real";
  if (!request.crop) request.crop = 1.2;
}

/// A network that begins by scaling its input takes pixels as they are.
bool ScalesByItself(const Node& input) {
  const auto readers = input.get_target_inputs();
  return readers.size() == 1 && ov::is_type<op::Multiply>(readers.begin()->get_node());
}

void Complete(ImportRequest& request, const Node& input) {
  if (!request.scale && !request.mean && ScalesByItself(input)) request.scale = {1, 1, 1};
  if (request.mean && !request.scale) request.scale = {1, 1, 1};
  if (request.scale && !request.mean) request.mean = {0, 0, 0};
  std::vector<std::string> missing;
  if (request.colour.empty()) missing.push_back("--colour rgb|bgr");
  if (!request.scale)
    missing.push_back("--scale S (255 for inputs in 0..1; with --mean 127.5 and 127.5 for -1..1)");
  if (request.output.empty()) missing.push_back("--output p_fake|p_real|logit|class:0|class:1");
  if (!request.crop) missing.push_back("--crop SIDE (1.2: the face box and a tenth of it on each side)");
  if (!missing.empty())
    throw Unusable{"the file does not say how its input is made or what its output means",
                   fmt::format("give {}", fmt::join(missing, ", "))};
}

void RefuseNan(const ov::Model& model) {
  for (const auto& node : model.get_ops()) {
    const auto constant = ov::as_type_ptr<op::Constant>(node);
    if (!constant || !constant->get_element_type().is_real()) continue;
    const auto values = constant->cast_vector<float>();
    for (const float value : values)
      if (std::isnan(value))
        throw Unusable{fmt::format("the weights '{}' hold NaN", constant->get_friendly_name()),
                       "the training diverged or the file is damaged: save the model at an earlier step"};
  }
}

struct InputFacts {
  bool channels_last = false;
  ov::Dimension batch;
  std::int64_t height = 0;
  std::int64_t width = 0;
};

InputFacts CheckInput(ov::Model& model, const ImportRequest& request) {
  if (model.inputs().size() != 1)
    throw Unusable{fmt::format("the network has {} inputs (expected one, a picture)", model.inputs().size()),
                   "export the part of it that judges one picture"};
  ov::PartialShape shape = model.input().get_partial_shape();
  const auto is_three = [](const ov::Dimension& d) { return d.is_static() && d.get_length() == 3; };
  if (shape.rank().is_dynamic() || shape.rank().get_length() != 4 || is_three(shape[1]) == is_three(shape[3]))
    throw Unusable{
        fmt::format("its input has the shape {} (expected [N,3,height,width] or [N,height,width,3])",
                    shape.to_string()),
        "export a classifier of colour pictures"};
  InputFacts facts{.channels_last = is_three(shape[3]), .batch = shape[0], .height = 0, .width = 0};
  const int first = facts.channels_last ? 1 : 2;
  const std::array<int, 2> wanted = {request.height, request.width};
  for (const int i : {0, 1}) {
    auto& side = shape[first + i];
    if (side.is_dynamic() && wanted[static_cast<std::size_t>(i)] > 0)
      side = wanted[static_cast<std::size_t>(i)];
    if (side.is_dynamic()) throw Unusable{"the network takes pictures of any size", "give --input-size"};
    if (wanted[static_cast<std::size_t>(i)] > 0 && side.get_length() != wanted[static_cast<std::size_t>(i)])
      throw Unusable{fmt::format("the network takes {} pixels (--input-size says {})", side.get_length(),
                                 wanted[static_cast<std::size_t>(i)]),
                     "leave --input-size out"};
    if (side.get_length() < 16 || side.get_length() > 1024)
      throw Unusable{
          fmt::format("the network takes {} pixels a side (expected 16 to 1024)", side.get_length()), ""};
  }
  facts.height = shape[first].get_length();
  facts.width = shape[first + 1].get_length();
  if (shape != model.input().get_partial_shape()) model.reshape(shape);
  return facts;
}

Node Scalar(float value) { return op::Constant::create(ov::element::f32, {}, {value}); }

Node Column(const Node& rows, std::int64_t index) {
  const auto one = [](std::int64_t value) { return op::Constant::create(ov::element::i64, {1}, {value}); };
  return std::make_shared<op::Slice>(rows, one(index), one(index + 1), one(1), one(1));
}

Node LogOf(const Node& probability) {
  return std::make_shared<op::Log>(std::make_shared<op::Clamp>(probability, 1e-7, 1 - 1e-7));
}

/// The log odds of manipulation, [N, 1], from the network's output. A last sigmoid or softmax is undone by
/// leaving it out, which loses nothing at its ends.
Node LogOdds(const Node& output, const std::string& meaning) {
  const auto shape = output.get_partial_shape();
  std::int64_t count = 1;
  for (std::int64_t i = 1; shape.rank().is_static() && i < shape.rank().get_length(); ++i)
    count *= shape[i].is_static() ? shape[i].get_length() : 0;
  const bool classes = meaning.starts_with("class:");
  if (shape.rank().is_dynamic() || count != (classes ? 2 : 1))
    throw Unusable{fmt::format("its output has the shape {} (expected {} for --output {})", shape.to_string(),
                               classes ? "[N,2]" : "[N,1]", meaning),
                   classes ? "give --output p_fake, p_real or logit"
                           : "of two classes, say which is fake: --output class:0"};
  const auto rows = [&](const Node& node) -> Node {
    return std::make_shared<op::Reshape>(
        node, op::Constant::create(ov::element::i64, {2}, std::vector<std::int64_t>{-1, count}), false);
  };
  const auto last = output.get_node_shared_ptr();
  if (classes) {
    const bool softmax = ov::is_type<ov::op::v8::Softmax>(last) || ov::is_type<ov::op::v1::Softmax>(last);
    const Node values = rows(softmax ? last->input_value(0) : output);
    const std::int64_t fake = meaning == "class:1" ? 1 : 0;
    const Node one = Column(values, fake), other = Column(values, 1 - fake);
    if (softmax) return std::make_shared<op::Subtract>(one, other);
    return std::make_shared<op::Subtract>(LogOf(one), LogOf(other));
  }
  if (meaning == "logit") return rows(output);
  Node odds;
  if (ov::is_type<op::Sigmoid>(last)) {
    odds = rows(last->input_value(0));
  } else {
    const Node p = rows(output);
    odds = std::make_shared<op::Subtract>(LogOf(p), LogOf(std::make_shared<op::Subtract>(Scalar(1), p)));
  }
  return meaning == "p_real" ? std::make_shared<op::Negative>(odds)->output(0) : odds;
}

/// The network as Scorer runs it: "image" [N,3,height,width] to "logit" [N,1].
std::shared_ptr<ov::Model> Adapt(ov::Model& model, const InputFacts& facts, const std::string& meaning) {
  const auto image = std::make_shared<op::Parameter>(
      ov::element::f32, ov::PartialShape{facts.batch, 3, facts.height, facts.width});
  image->set_friendly_name("image");
  image->output(0).set_names({"image"});
  Node input = image;
  if (facts.channels_last)
    input = std::make_shared<op::Transpose>(
        input, op::Constant::create(ov::element::i64, {4}, std::vector<std::int64_t>{0, 2, 3, 1}));
  const Node old = model.input().get_node_shared_ptr()->output(0);
  if (old.get_element_type() != ov::element::f32)
    input = std::make_shared<op::Convert>(input, old.get_element_type());
  for (auto& reader : old.get_target_inputs()) reader.replace_source_output(input);
  Node output = model.get_results().at(0)->input_value(0);
  if (output.get_element_type() != ov::element::f32)
    output = std::make_shared<op::Convert>(output, ov::element::f32);
  const auto result = std::make_shared<op::Result>(LogOdds(output, meaning));
  result->set_friendly_name("logit");
  result->output(0).set_names({"logit"});
  return std::make_shared<ov::Model>(ov::ResultVector{result}, ov::ParameterVector{image}, "imported");
}

/// Inputs and the logits that the converted network gives for them.
json Golden(const fs::path& network, const ImportRequest& request, const InputFacts& facts) {
  auto loaded = LoadNetwork(network, {.threads = 1, .throughput = false, .batch = 1});
  if (!loaded) throw Unusable{loaded.error().message, ""};
  ModelCard card;
  card.input = {.name = "image",
                .width = static_cast<int>(facts.width),
                .height = static_cast<int>(facts.height),
                .rgb = request.colour == "rgb",
                .mean = *request.mean,
                .scale = *request.scale};
  card.output_name = "logit";
  const Scorer scorer(card, std::move(*loaded), 1);
  json cases = json::array();
  for (const auto& [width, height] : {std::pair(64, 64), {200, 180}, {333, 400}, {640, 480}, {97, 301}}) {
    const std::vector<PreparedFace> prepared = {scorer.Prepare(GoldenPicture(width, height))};
    const auto scores = scorer.Start(prepared).get();
    if (!scores) throw Unusable{scores.error().message, "the weights may be damaged: save the model again"};
    cases.push_back({{"name", fmt::format("synthetic {}x{}", width, height)},
                     {"source", "synthetic"},
                     {"rect", {0, 0, width, height}},
                     {"logit", (*scores)[0].logit}});
  }
  return {{"tolerance", 0.02}, {"cases", cases}};
}

/// What a conversion leaves. Opened before the process gives up the right to make files.
struct Outputs {
  explicit Outputs(const fs::path& folder)
      : network(folder / "model.xml", std::ios::binary),
        weights(folder / "model.bin", std::ios::binary),
        golden(folder / "golden.json"),
        facts(folder / "facts.json"),
        error(folder / "error.json") {}

  std::ofstream network, weights, golden, facts, error;
};

void Close(std::ofstream& file, const char* name) {
  file.close();
  if (!file)
    throw Unusable{fmt::format("{} cannot be written", name),
                   "free some space, or choose another repository with --models"};
}

void Write(std::ofstream& file, const char* name, const json& content) {
  file << content.dump(2) << '\n';
  Close(file, name);
}

void Convert(const fs::path& folder, Outputs& outputs) {
  if (const auto refused = ConfineConverter())
    throw Unusable{fmt::format("the system does not let the import be confined ({})", *refused),
                   "the kernel needs seccomp, and a container must allow it"};
  const auto text = ReadSmallFile(folder / "request.json");
  if (!text) throw Unusable{text.error().message, ""};
  ImportRequest request = RequestFrom(json::parse(*text));
  const auto model = ReadFile(request);
  TakeArchitecturesFacts(*model, request);
  const InputFacts facts = CheckInput(*model, request);
  if (model->outputs().size() != 1)
    throw Unusable{fmt::format("the network has {} outputs (expected one)", model->outputs().size()),
                   "export it with the output that judges alone"};
  Complete(request, model->input().get_node_shared_ptr()->output(0));
  RefuseNan(*model);
  const auto adapted = Adapt(*model, facts, request.output);
  ov::pass::Serialize(outputs.network, outputs.weights).run_on_model(adapted);
  Close(outputs.network, "model.xml");
  Close(outputs.weights, "model.bin");
  Write(outputs.golden, "golden.json", Golden(folder / "model.xml", request, facts));
  json result = ToJson(request);
  result["height"] = facts.height;
  result["width"] = facts.width;
  Write(outputs.facts, "facts.json", result);
}

}  // namespace

int ConvertModel(const fs::path& folder) {
  Outputs outputs(folder);
  Unusable why;
  try {
    Convert(folder, outputs);
    return 0;
  } catch (const Unusable& unusable) {
    why = unusable;
  } catch (const std::bad_alloc&) {
    why = {"it needs more memory than an import may use", "the file claims sizes that no network has"};
  } catch (const std::exception& e) {
    why = {fmt::format("it cannot be converted: {}", WordsOf(e)), ""};
  }
  const json error = {{"message", why.message.substr(0, 2000)}, {"hint", why.hint}};
  outputs.error << error.dump(-1, ' ', false, json::error_handler_t::replace);
  outputs.error.close();
  return outputs.error ? 1 : 2;
}

}  // namespace unmask
