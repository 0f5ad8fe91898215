// SPDX-License-Identifier: Apache-2.0
#include "serving/kserve.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace unmask::serving {
namespace {

using Json = nlohmann::ordered_json;
using Kind = JsonValue::Kind;

static_assert(std::endian::native == std::endian::little, "binary tensors are little-endian");

constexpr std::size_t kOtherNumbers = 4096;     // shapes and what is ignored
constexpr std::size_t kMaxJson = 64 << 10;      // of the header before binary tensors
constexpr double kMaxWhole = 9007199254740992;  // 2^53: beyond it a double is no exact integer
constexpr std::size_t kMaxId = 1024;

tl::unexpected<Error> Bad(std::string message, std::string hint = {}) {
  return Fail(ErrorCode::kBadRequest, std::move(message), std::move(hint));
}

std::optional<std::size_t> Whole(double value) {
  if (!(value >= 0 && value <= kMaxWhole) || value != std::floor(value)) return std::nullopt;
  return static_cast<std::size_t>(value);
}

/// The length of the JSON before binary tensors; the whole body without any.
Result<std::size_t> HeaderLength(const std::string* text, std::size_t body) {
  if (!text) return body;
  std::size_t length = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), length);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size())
    return Bad(fmt::format("{} is '{}' (expected a number of bytes)", kHeaderLength, text->substr(0, 32)));
  if (length > body)
    return Bad(fmt::format("{} is {}, but the body has {} bytes", kHeaderLength, length, body),
               "the header counts the bytes of the JSON at the body's begin");
  if (length == 0) return Bad(fmt::format("{} is 0, but a body without JSON is not accepted", kHeaderLength));
  if (length < body && length > kMaxJson)
    return Bad(fmt::format("the JSON before the binary tensors has {} bytes (at most {})", length, kMaxJson));
  return length;
}

/// A member of "parameters"; null when absent.
const JsonValue* Parameter(const JsonValue& owner, std::string_view name) {
  const JsonValue* const parameters = owner.Find("parameters");
  return parameters ? parameters->Find(name) : nullptr;
}

Result<void> RefuseParameters(const JsonValue& owner) {
  for (const char* const name : {"shared_memory_region", "classification"})
    if (Parameter(owner, name)) return Bad(fmt::format("the parameter '{}' is not supported", name));
  return {};
}

Result<std::string> TextOf(const JsonValue& owner, const char* name) {
  const JsonValue* const value = owner.Find(name);
  if (!value || value->kind != Kind::kString) return Bad(fmt::format("expected '{}' as a string", name));
  return value->text;
}

Result<bool> FlagOf(const JsonValue* value, const char* name, bool standard) {
  if (!value) return standard;
  if (value->kind != Kind::kBool) return Bad(fmt::format("the parameter '{}' must be true or false", name));
  return value->boolean;
}

Result<std::vector<std::size_t>> ShapeOf(const JsonText& text, const JsonValue& input) {
  const JsonValue* const shape = input.Find("shape");
  if (!shape || shape->kind != Kind::kNumbers || shape->shape.size() != 1 || shape->shape[0] > 16)
    return Bad("expected 'shape' as a list of at most 16 numbers");
  std::vector<std::size_t> result;
  for (const float dimension : text.Numbers(*shape)) {
    const auto whole = Whole(dimension);
    if (!whole)
      return Bad(fmt::format("the dimension {} of 'shape' is no whole number of at least 0", dimension));
    result.push_back(*whole);
  }
  return result;
}

/// The number of instances in an input of that shape.
Result<std::size_t> CheckShape(const std::vector<std::size_t>& shape, const ServedNetwork& network,
                               std::size_t max_batch) {
  const TensorFacts& input = network.input();
  const bool fits = shape.size() == input.shape.size() + 1 &&
                    std::equal(input.shape.begin(), input.shape.end(), shape.begin() + 1);
  if (!fits || shape.front() == 0)
    return Bad(fmt::format("unexpected shape for input '{}' for model '{}'. Expected [-1,{}], got [{}]",
                           input.name, network.card().name, fmt::join(input.shape, ","),
                           fmt::join(shape, ",")));
  if (shape.front() > max_batch)
    return Bad(fmt::format("the batch of {} for model '{}' is too large (at most {})", shape.front(),
                           network.card().name, max_batch));
  return shape.front();
}

Result<std::vector<float>> BinaryValues(const JsonValue& size, std::string_view binary, std::size_t count) {
  const auto stated = size.kind == Kind::kNumber ? Whole(size.number) : std::nullopt;
  if (!stated) return Bad("'binary_data_size' must be a whole number of bytes");
  const std::size_t expected = count * sizeof(float);
  if (*stated != expected)
    return Bad(
        fmt::format("'binary_data_size' is {} (expected {} for the shape and FP32)", *stated, expected));
  if (binary.size() != expected)
    return Bad(fmt::format("{} bytes follow the JSON (expected the {} of 'binary_data_size')", binary.size(),
                           expected),
               fmt::format("the body was cut off, or {} is wrong", kHeaderLength));
  std::vector<float> values(count);
  std::memcpy(values.data(), binary.data(), expected);
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    return Bad("the input holds a value that is not finite");
  return values;
}

Result<std::vector<float>> JsonValues(const JsonText& text, const JsonValue& input,
                                      const std::vector<std::size_t>& shape, std::size_t count) {
  const JsonValue* const data = input.Find("data");
  if (!data || data->kind != Kind::kNumbers)
    return Bad("expected the input's values as numbers in 'data', or after the JSON with 'binary_data_size'");
  const auto values = text.Numbers(*data);
  if (values.size() != count)
    return Bad(fmt::format("'data' has {} values (the shape has {})", values.size(), count));
  if (data->shape.size() > 1 && data->shape != shape)
    return Bad(fmt::format("'data' is nested as [{}] (expected a flat list, or 'shape')",
                           fmt::join(data->shape, ",")));
  return std::vector<float>(values.begin(), values.end());
}

Result<void> ReadInput(const JsonText& text, const JsonValue& input, std::string_view binary,
                       const ServedNetwork& network, std::size_t max_batch, KserveQuestion& question) {
  const auto name = TextOf(input, "name");
  if (!name) return tl::unexpected(name.error());
  if (*name != network.input().name)
    return Bad(fmt::format("unexpected inference input '{}' for model '{}' (it takes '{}')",
                           name->substr(0, 64), network.card().name, network.input().name));
  const auto type = TextOf(input, "datatype");
  if (!type) return tl::unexpected(type.error());
  if (*type != "FP32")
    return Bad(fmt::format("inference input '{}' data-type is '{}', but model '{}' expects 'FP32'", *name,
                           type->substr(0, 16), network.card().name));
  if (auto accepted = RefuseParameters(input); !accepted) return accepted;
  const auto shape = ShapeOf(text, input);
  if (!shape) return tl::unexpected(shape.error());
  const auto count = CheckShape(*shape, network, max_batch);
  if (!count) return tl::unexpected(count.error());
  const std::size_t numbers = *count * network.input().size;
  const JsonValue* const size = Parameter(input, "binary_data_size");
  if (size && input.Find("data")) return Bad("an input has both 'data' and 'binary_data_size'");
  if (!size && !binary.empty())
    return Bad(fmt::format("{} bytes follow the JSON, but no input has 'binary_data_size'", binary.size()));
  auto values = size ? BinaryValues(*size, binary, numbers) : JsonValues(text, input, *shape, numbers);
  if (!values) return tl::unexpected(values.error());
  question.values = std::move(*values);
  question.count = *count;
  return {};
}

/// Lists of objects are kList, and an empty list is a list of no numbers.
bool IsListOfObjects(const JsonValue& value) {
  if (value.kind == Kind::kNumbers) return value.shape == std::vector<std::size_t>{0};
  return value.kind == Kind::kList &&
         std::all_of(value.items.begin(), value.items.end(),
                     [](const JsonValue& item) { return item.kind == Kind::kObject; });
}

Result<void> ReadWanted(const JsonValue& root, const ServedNetwork& network, KserveQuestion& question) {
  const auto binary = FlagOf(Parameter(root, "binary_data_output"), "binary_data_output", false);
  if (!binary) return tl::unexpected(binary.error());
  const JsonValue* const outputs = root.Find("outputs");
  if (outputs && !IsListOfObjects(*outputs)) return Bad("expected 'outputs' as a list of objects");
  const auto& known = network.outputs();
  if (!outputs || outputs->items.empty()) {
    for (std::size_t i = 0; i < known.size(); ++i) question.wanted.push_back({i, *binary});
    return {};
  }
  if (outputs->items.size() > known.size())
    return Bad(
        fmt::format("{} outputs are asked for (the model has {})", outputs->items.size(), known.size()));
  for (const JsonValue& output : outputs->items) {
    const auto name = TextOf(output, "name");
    if (!name) return tl::unexpected(name.error());
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const TensorFacts& facts) { return facts.name == *name; });
    if (found == known.end())
      return Bad(fmt::format("unexpected inference output '{}' for model '{}'", name->substr(0, 64),
                             network.card().name));
    if (auto accepted = RefuseParameters(output); !accepted) return accepted;
    const auto own = FlagOf(Parameter(output, "binary_data"), "binary_data", *binary);
    if (!own) return tl::unexpected(own.error());
    question.wanted.push_back({static_cast<std::size_t>(found - known.begin()), *own});
  }
  return {};
}

Json Described(const TensorFacts& tensor) {
  Json shape = Json::array({-1});
  for (const std::size_t size : tensor.shape) shape.push_back(size);
  return {{"name", tensor.name}, {"datatype", "FP32"}, {"shape", shape}};
}

}  // namespace

Result<KserveQuestion> ReadKserveQuestion(std::string_view body, const std::string* header_length,
                                          const ServedNetwork& network, std::size_t max_batch) {
  const auto length = HeaderLength(header_length, body.size());
  if (!length) return tl::unexpected(length.error());
  const auto text = ParseJsonTensors(body.substr(0, *length),
                                     {.max_numbers = max_batch * network.input().size + kOtherNumbers});
  if (!text) return Bad("failed to parse the request: " + text.error().message, text.error().hint);
  const JsonValue& root = text->root;
  if (root.kind != Kind::kObject) return Bad("expected the request as a JSON object");

  KserveQuestion question;
  if (const JsonValue* const id = root.Find("id")) {
    if (id->kind != Kind::kString || id->text.size() > kMaxId)
      return Bad(fmt::format("expected 'id' as a string of at most {} bytes", kMaxId));
    question.id = id->text;
  }
  const JsonValue* const inputs = root.Find("inputs");
  if (!inputs || !IsListOfObjects(*inputs) || inputs->items.size() != 1)
    return Bad(fmt::format("expected 'inputs' with 1 input for model '{}'", network.card().name));
  if (auto read = ReadInput(*text, inputs->items[0], body.substr(*length), network, max_batch, question);
      !read)
    return tl::unexpected(read.error());
  if (auto read = ReadWanted(root, network, question); !read) return tl::unexpected(read.error());
  return question;
}

KserveAnswer WriteKserveAnswer(const KserveQuestion& question, const std::vector<Tensor>& outputs,
                               const ModelCard& card) {
  std::string json = "{";
  if (question.id) {
    json += "\"id\": ";
    AppendString(json, *question.id);
    json += ", ";
  }
  json += "\"model_name\": ";
  AppendString(json, card.name);
  json += fmt::format(", \"model_version\": \"{}\", \"outputs\": [", card.version);
  std::string binary;
  bool any_binary = false;
  for (std::size_t i = 0; i < question.wanted.size(); ++i) {
    const auto& wanted = question.wanted[i];
    const Tensor& tensor = outputs.at(wanted.output);
    if (i > 0) json += ", ";
    json += "{\"name\": ";
    AppendString(json, tensor.name);
    json += fmt::format(", \"datatype\": \"FP32\", \"shape\": [{}], ", fmt::join(tensor.shape, ", "));
    if (wanted.binary) {
      any_binary = true;
      const std::size_t bytes = tensor.values.size() * sizeof(float);
      json += fmt::format("\"parameters\": {{\"binary_data_size\": {}}}}}", bytes);
      const std::size_t at = binary.size();
      binary.resize(at + bytes);
      std::memcpy(binary.data() + at, tensor.values.data(), bytes);
      continue;
    }
    json += "\"data\": ";
    const std::size_t flat[] = {tensor.values.size()};
    AppendTensor(json, tensor.values, flat);
    json += '}';
  }
  json += "]}";
  const auto length = any_binary ? std::optional(json.size()) : std::nullopt;
  return {json + binary, length};
}

std::string WriteKserveMetadata(const ServedNetwork& network, const std::vector<VersionStatus>& versions) {
  Json numbers = Json::array();
  for (const auto& status : versions)
    if (status.state == VersionState::kAvailable) numbers.push_back(std::to_string(status.version));
  Json outputs = Json::array();
  for (const TensorFacts& output : network.outputs()) outputs.push_back(Described(output));
  return Json{{"name", network.card().name},
              {"versions", numbers},
              {"platform", "openvino"},
              {"inputs", Json::array({Described(network.input())})},
              {"outputs", outputs}}
      .dump();
}

}  // namespace unmask::serving
