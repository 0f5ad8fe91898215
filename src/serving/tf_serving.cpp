// SPDX-License-Identifier: Apache-2.0
#include "serving/tf_serving.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace unmask::serving {
namespace {

using Json = nlohmann::ordered_json;
using Kind = JsonValue::Kind;

constexpr const char* kSignature = "serving_default";
constexpr std::size_t kOtherNumbers = 64;  // beside the tensor's, in what is ignored

tl::unexpected<Error> Bad(std::string message) { return Fail(ErrorCode::kBadRequest, std::move(message)); }

Result<void> CheckSignature(const JsonValue& root) {
  const JsonValue* const signature = root.Find("signature_name");
  if (!signature) return {};
  if (signature->kind != Kind::kString)
    return Bad("JSON Value not formatted correctly. 'signature_name' key must be a string value.");
  if (signature->text.empty() || signature->text == kSignature) return {};
  return Bad(fmt::format("Serving signature name: \"{}\" not found in signature def",
                         signature->text.substr(0, 64)));
}

/// A tensor of instances, its shape checked.
Result<TfPredict> TakeTensor(const JsonText& text, const JsonValue& tensor, const TensorFacts& input,
                             std::size_t max_batch) {
  if (tensor.kind != Kind::kNumbers)
    return Bad(fmt::format("JSON Value of the input '{}' is not of expected type: float", input.name));
  const bool fits = tensor.shape.size() == input.shape.size() + 1 &&
                    std::equal(input.shape.begin(), input.shape.end(), tensor.shape.begin() + 1);
  if (!fits || tensor.shape.front() == 0)
    return Bad(fmt::format("the input '{}' has the shape [{}] (expected [n,{}])", input.name,
                           fmt::join(tensor.shape, ","), fmt::join(input.shape, ",")));
  if (tensor.shape.front() > max_batch)
    return Bad(fmt::format("{} instances were sent (at most {} are taken)", tensor.shape.front(), max_batch));
  const auto values = text.Numbers(tensor);
  return TfPredict{.values = {values.begin(), values.end()}, .count = tensor.shape.front(), .rows = true};
}

/// "instances" as a list of objects, each with the input's name.
Result<TfPredict> TakeNamedRows(const JsonText& text, const std::vector<JsonValue>& items,
                                const TensorFacts& input, std::size_t max_batch) {
  if (items.size() > max_batch)
    return Bad(fmt::format("{} instances were sent (at most {} are taken)", items.size(), max_batch));
  TfPredict question;
  question.count = items.size();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto failed = [&](const std::string& why) {
      return Bad(fmt::format("Failed to process element: {} of 'instances' list. {}", i, why));
    };
    if (items[i].kind != Kind::kObject) return failed("Error: it is neither a list of numbers nor an object");
    const JsonValue* const tensor = items[i].Find(input.name);
    if (!tensor || items[i].members.size() != 1)
      return failed(fmt::format("JSON object: keys must be equal to: {}", input.name));
    if (tensor->kind != Kind::kNumbers || tensor->shape != input.shape)
      return failed(fmt::format("Error: key '{}' holds no numbers of the shape [{}]", input.name,
                                fmt::join(input.shape, ",")));
    const auto values = text.Numbers(*tensor);
    question.values.insert(question.values.end(), values.begin(), values.end());
  }
  return question;
}

Result<TfPredict> TakeRows(const JsonText& text, const JsonValue& instances, const TensorFacts& input,
                           std::size_t max_batch) {
  if (instances.kind == Kind::kList) return TakeNamedRows(text, instances.items, input, max_batch);
  if (instances.kind != Kind::kNumbers) return Bad("JSON Value: Excepting 'instances' to be an list/array");
  if (instances.shape.front() == 0) return Bad("JSON Value: No values in 'instances' array");
  return TakeTensor(text, instances, input, max_batch);
}

Result<TfPredict> TakeColumns(const JsonText& text, const JsonValue& inputs, const TensorFacts& input,
                              std::size_t max_batch) {
  const JsonValue* tensor = &inputs;
  if (inputs.kind == Kind::kObject) tensor = inputs.Find(input.name);
  if (!tensor) return Bad(fmt::format("Missing named input: {} in 'inputs' object.", input.name));
  auto question = TakeTensor(text, *tensor, input, max_batch);
  if (question) question->rows = false;
  return question;
}

/// The names of google.rpc.Code, which TensorFlow Serving shows.
const char* StatusCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "NOT_FOUND";
    case ErrorCode::kBadRequest:
      return "INVALID_ARGUMENT";
    case ErrorCode::kOverloaded:
      return "UNAVAILABLE";
    default:
      return "INTERNAL";
  }
}

Json TensorInfo(const TensorFacts& tensor) {
  Json dimensions = Json::array({{{"size", "-1"}, {"name", ""}}});
  for (const std::size_t size : tensor.shape)
    dimensions.push_back({{"size", std::to_string(size)}, {"name", ""}});
  return {{"dtype", "DT_FLOAT"},
          {"tensor_shape", {{"dim", dimensions}, {"unknown_rank", false}}},
          {"name", tensor.name + ":0"}};
}

}  // namespace

Result<TfPredict> ReadTfPredict(std::string_view body, const TensorFacts& input, std::size_t max_batch) {
  if (body.empty()) return Bad("JSON Parse error: The document is empty");
  const auto text = ParseJsonTensors(body, {.max_numbers = max_batch * input.size + kOtherNumbers});
  if (!text) return Bad("JSON Parse error: " + text.error().message);
  if (text->root.kind != Kind::kObject) return Bad("JSON Value: Is not object");
  if (auto signature = CheckSignature(text->root); !signature) return tl::unexpected(signature.error());
  const JsonValue* const instances = text->root.Find("instances");
  const JsonValue* const inputs = text->root.Find("inputs");
  if (instances && inputs)
    return Bad(
        "JSON Value: Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ");
  if (instances) return TakeRows(*text, *instances, input, max_batch);
  if (inputs) return TakeColumns(*text, *inputs, input, max_batch);
  return Bad("Missing 'inputs' or 'instances' key");
}

std::string WriteTfPredictions(const TfPredict& question, const std::vector<Tensor>& outputs) {
  const auto members = [&outputs](std::string& out, const auto& write) {
    out += '{';
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (i > 0) out += ", ";
      AppendString(out, outputs[i].name);
      out += ": ";
      write(outputs[i]);
    }
    out += '}';
  };
  std::string out = question.rows ? "{\n    \"predictions\": " : "{\n    \"outputs\": ";
  if (outputs.size() == 1) {
    AppendTensor(out, outputs[0].values, outputs[0].shape);
  } else if (!question.rows) {
    members(out, [&out](const Tensor& tensor) { AppendTensor(out, tensor.values, tensor.shape); });
  } else {
    out += '[';
    for (std::size_t i = 0; i < question.count; ++i) {
      if (i > 0) out += ", ";
      members(out, [&out, i, &question](const Tensor& tensor) {
        const std::size_t size = tensor.values.size() / question.count;
        AppendTensor(out, std::span(tensor.values).subspan(i * size, size),
                     std::span(tensor.shape).subspan(1));
      });
    }
    out += ']';
  }
  return out + "\n}\n";
}

std::string WriteTfStatus(const std::vector<VersionStatus>& versions) {
  Json list = Json::array();
  for (auto status = versions.rbegin(); status != versions.rend(); ++status)
    list.push_back({{"version", std::to_string(status->version)},
                    {"state", VersionStateName(status->state)},
                    {"status",
                     {{"error_code", status->error ? StatusCodeOf(status->error->code) : "OK"},
                      {"error_message", status->error ? status->error->message : ""}}}});
  // Messages may quote a file: bytes that are no UTF-8 are replaced.
  return Json{{"model_version_status", list}}.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string WriteTfMetadata(const ServedNetwork& network) {
  Json outputs = Json::object();
  for (const TensorFacts& output : network.outputs()) outputs[output.name] = TensorInfo(output);
  const Json signature = {{"inputs", {{network.input().name, TensorInfo(network.input())}}},
                          {"outputs", outputs},
                          {"method_name", "tensorflow/serving/predict"}};
  const Json json = {{"model_spec",
                      {{"name", network.card().name},
                       {"signature_name", ""},
                       {"version", std::to_string(network.card().version)}}},
                     {"metadata", {{"signature_def", {{"signature_def", {{kSignature, signature}}}}}}}};
  return json.dump(1) + "\n";
}

std::string WriteTfError(std::string_view message) {
  std::string out = "{ \"error\": ";
  AppendString(out, message);
  return out + " }\n";
}

}  // namespace unmask::serving
