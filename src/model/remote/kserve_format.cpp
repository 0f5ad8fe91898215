// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <opencv2/core/mat.hpp>

#include "model/json_tensors.hpp"
#include "model/remote/remote_format.hpp"

namespace unmask {
namespace {

using Kind = JsonValue::Kind;

static_assert(std::endian::native == std::endian::little, "binary tensors are little-endian");

constexpr std::size_t kMaxValues = 16 << 20;  // of an answer

tl::unexpected<Error> Wrong(const std::string& what) {
  return Fail(ErrorCode::kInternal, "the remote engine's answer makes no sense: " + what,
              "is there a KServe v2 server at engine.url, and is it the right model?");
}

Result<RemoteType> TypeOf(const std::string& name) {
  if (name == "FP32") return RemoteType::kFp32;
  if (name == "FP16") return RemoteType::kFp16;
  if (name == "UINT8") return RemoteType::kUint8;
  return Fail(
      ErrorCode::kInternal,
      fmt::format("the remote engine's model takes {} (expected FP32, FP16 or UINT8)", name.substr(0, 16)));
}

const char* NameOf(RemoteType type) {
  return type == RemoteType::kFp32 ? "FP32" : type == RemoteType::kFp16 ? "FP16" : "UINT8";
}

std::size_t SizeOf(RemoteType type) {
  return type == RemoteType::kFp32 ? 4 : type == RemoteType::kFp16 ? 2 : 1;
}

/// A batch has megabytes, so that each value is written once, to where it is sent from.
Result<void> AppendBytes(std::string& body, const std::vector<float>& values, RemoteType type) {
  if (type == RemoteType::kFp32) {
    body.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    return {};
  }
  if (type == RemoteType::kUint8) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] >= 0 && values[i] <= 255) || values[i] != std::floor(values[i]))
        return Fail(ErrorCode::kBadRequest,
                    "the remote engine's model takes UINT8, but the card's mean and scale make "
                    "other values than 0 to 255",
                    "set input.mean to 0 and input.scale to 1");
      body.push_back(static_cast<char>(static_cast<unsigned char>(values[i])));
    }
    return {};
  }
  const cv::Mat from(1, static_cast<int>(values.size()), CV_32F, const_cast<float*>(values.data()));
  cv::Mat to;
  from.convertTo(to, CV_16F);
  body.append(to.ptr<char>(), values.size() * SizeOf(type));
  return {};
}

Result<std::vector<float>> FromBytes(std::string_view bytes, const std::string& type, std::size_t count) {
  const std::size_t size = type == "FP32" ? 4 : type == "FP16" ? 2 : type == "FP64" ? 8 : 0;
  if (size == 0) return Wrong(fmt::format("an output has the type {}", type.substr(0, 16)));
  if (bytes.size() != count * size)
    return Wrong(
        fmt::format("an output has {} bytes (expected {} for its shape)", bytes.size(), count * size));
  std::vector<float> values(count);
  if (count == 0) return values;
  if (size == 4) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  std::string aligned(bytes);
  const cv::Mat from(1, static_cast<int>(count), size == 2 ? CV_16F : CV_64F, aligned.data());
  cv::Mat(from).convertTo(cv::Mat(1, static_cast<int>(count), CV_32F, values.data()), CV_32F);
  return values;
}

/// Takes each output's bytes, which lie one after another.
class Binary {
 public:
  explicit Binary(std::string_view bytes) : left_(bytes) {}
  Result<std::string_view> Take(double size) {
    if (!(size >= 0 && size <= static_cast<double>(left_.size())) || size != std::floor(size))
      return Wrong(fmt::format("binary_data_size is {}, but {} bytes are left", size, left_.size()));
    const auto taken = left_.substr(0, static_cast<std::size_t>(size));
    left_.remove_prefix(taken.size());
    return taken;
  }
  std::size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
};

Result<Tensor> ReadOutput(const JsonText& text, const JsonValue& output, Binary& binary, std::size_t count) {
  const JsonValue* const name = output.Find("name");
  const JsonValue* const type = output.Find("datatype");
  const JsonValue* const shape = output.Find("shape");
  if (!name || name->kind != Kind::kString || !type || type->kind != Kind::kString || !shape ||
      shape->kind != Kind::kNumbers || shape->shape.size() != 1)
    return Wrong("an output lacks name, datatype or shape");
  Tensor tensor{.name = name->text, .shape = {}, .values = {}};
  for (const float dimension : text.Numbers(*shape)) {
    if (!(dimension >= 0 && dimension <= kMaxValues) || dimension != std::floor(dimension))
      return Wrong(fmt::format("the output '{}' has a dimension of {}", name->text.substr(0, 64), dimension));
    tensor.shape.push_back(static_cast<std::size_t>(dimension));
  }
  const auto numbers = CountOf(tensor.shape, kMaxValues);
  if (!numbers) return Wrong(numbers.error().message);
  if (tensor.shape.empty() || tensor.shape.front() != count)
    return Wrong(fmt::format("the output '{}' has the shape [{}] (expected {} first, one for each face)",
                             name->text.substr(0, 64), fmt::join(tensor.shape, ","), count));
  const JsonValue* const parameters = output.Find("parameters");
  if (const JsonValue* const size = parameters ? parameters->Find("binary_data_size") : nullptr) {
    const auto bytes = binary.Take(size->kind == Kind::kNumber ? size->number : -1);
    if (!bytes) return tl::unexpected(bytes.error());
    auto values = FromBytes(*bytes, type->text, *numbers);
    if (!values) return tl::unexpected(values.error());
    tensor.values = std::move(*values);
    return tensor;
  }
  const JsonValue* const data = output.Find("data");
  if (!data || data->kind != Kind::kNumbers) return Wrong("an output has no values");
  const auto values = text.Numbers(*data);
  if (values.size() != *numbers)
    return Wrong(fmt::format("an output has {} values (expected {} for its shape)", values.size(), *numbers));
  tensor.values.assign(values.begin(), values.end());
  return tensor;
}

class KserveFormat final : public RemoteFormat {
 public:
  explicit KserveFormat(const RemoteEngine& engine)
      : path_("/v2/models/" + engine.model + (engine.version.empty() ? "" : "/versions/" + engine.version)) {}

  std::string MetadataPath() const override { return path_; }

  Result<RemoteInput> ReadMetadata(std::string_view body) const override {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    try {
      if (!json.is_object()) return Wrong("its description of the model is not JSON");
      const auto& inputs = json.at("inputs");
      if (!inputs.is_array() || inputs.size() != 1) return Wrong("the model does not have one input");
      const auto type = TypeOf(inputs[0].at("datatype"));
      if (!type) return tl::unexpected(type.error());
      RemoteInput input{.name = inputs[0].at("name"), .type = *type, .shape = {}};
      input.shape = inputs[0].at("shape").get<std::vector<std::int64_t>>();
      return input;
    } catch (const std::exception& e) {
      return Wrong(fmt::format("its description of the model lacks something ({})", e.what()));
    }
  }

  Result<RemoteQuestion> WriteQuestion(const RemoteInput& input, const Tensor& values) const override {
    const std::size_t bytes = values.values.size() * SizeOf(input.type);
    std::string json = "{\"inputs\":[{\"name\":";
    AppendString(json, input.name);
    json += fmt::format(
        R"(,"shape":[{}],"datatype":"{}","parameters":{{"binary_data_size":{}}}}}],"parameters":{{"binary_data_output":true}}}})",
        fmt::join(values.shape, ","), NameOf(input.type), bytes);
    RemoteQuestion question{.path = path_ + "/infer",
                            .body = {},
                            .headers = {fmt::format("Inference-Header-Content-Length: {}", json.size())},
                            .content_type = "application/octet-stream"};
    question.body.reserve(json.size() + bytes);
    question.body = json;
    if (auto added = AppendBytes(question.body, values.values, input.type); !added)
      return tl::unexpected(added.error());
    return question;
  }

  Result<std::vector<Tensor>> ReadAnswer(std::string_view body, const std::string* header_length,
                                         std::size_t count) const override {
    std::size_t length = body.size();
    if (header_length) {
      const auto parsed =
          std::from_chars(header_length->data(), header_length->data() + header_length->size(), length);
      if (parsed.ec != std::errc() || parsed.ptr != header_length->data() + header_length->size() ||
          length > body.size())
        return Wrong("Inference-Header-Content-Length does not fit the body");
    }
    const auto text = ParseJsonTensors(body.substr(0, length), {.max_numbers = kMaxValues});
    if (!text) return Wrong(text.error().message);
    const JsonValue* const outputs = text->root.Find("outputs");
    if (!outputs || outputs->kind != Kind::kList || outputs->items.empty()) return Wrong("it has no outputs");
    Binary binary(body.substr(length));
    std::vector<Tensor> tensors;
    for (const JsonValue& output : outputs->items) {
      auto tensor = ReadOutput(*text, output, binary, count);
      if (!tensor) return tl::unexpected(tensor.error());
      for (const float value : tensor->values)
        if (!std::isfinite(value))
          return Wrong(
              fmt::format("the output '{}' holds a value that is not finite", tensor->name.substr(0, 64)));
      tensors.push_back(std::move(*tensor));
    }
    if (binary.left() > 0) return Wrong(fmt::format("{} bytes belong to no output", binary.left()));
    return tensors;
  }

 private:
  const std::string path_;
};

}  // namespace

std::unique_ptr<RemoteFormat> MakeKserveFormat(const RemoteEngine& engine) {
  return std::make_unique<KserveFormat>(engine);
}

}  // namespace unmask
