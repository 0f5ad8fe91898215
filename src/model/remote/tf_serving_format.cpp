// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "model/json_tensors.hpp"
#include "model/remote/remote_format.hpp"

namespace unmask {
namespace {

using Kind = JsonValue::Kind;

constexpr std::size_t kMaxValues = 16 << 20;  // of an answer

tl::unexpected<Error> Wrong(const std::string& what) {
  return Fail(ErrorCode::kInternal, "the remote engine's answer makes no sense: " + what,
              "is there a TensorFlow Serving at engine.url, and is it the right model?");
}

/// TensorFlow Serving writes what is not finite as bare words, which are no JSON.
bool HasBareWords(std::string_view body) {
  return body.find("NaN") != std::string_view::npos || body.find("Infinity") != std::string_view::npos;
}

/// "predictions" of several outputs: an object for each instance.
Result<std::vector<Tensor>> JoinRows(const JsonText& text, const std::vector<JsonValue>& rows) {
  std::vector<Tensor> tensors;
  for (const JsonValue& row : rows) {
    if (row.kind != Kind::kObject || (!tensors.empty() && row.members.size() != tensors.size()))
      return Wrong("its predictions are not alike");
    for (std::size_t i = 0; i < row.members.size(); ++i) {
      const auto& [name, value] = row.members[i];
      const bool scalar = value.kind == Kind::kNumber;
      if (!scalar && value.kind != Kind::kNumbers)
        return Wrong("a prediction holds something else than numbers");
      if (&row == &rows.front()) {
        Tensor tensor{.name = name, .shape = {rows.size()}, .values = {}};
        tensor.shape.insert(tensor.shape.end(), value.shape.begin(), value.shape.end());
        tensors.push_back(std::move(tensor));
      }
      Tensor& tensor = tensors[i];
      const bool alike = tensor.name == name && std::equal(value.shape.begin(), value.shape.end(),
                                                           tensor.shape.begin() + 1, tensor.shape.end());
      if (!alike) return Wrong("its predictions are not alike");
      if (scalar) {
        tensor.values.push_back(static_cast<float>(value.number));
      } else {
        const auto values = text.Numbers(value);
        tensor.values.insert(tensor.values.end(), values.begin(), values.end());
      }
    }
  }
  return tensors;
}

class TfServingFormat final : public RemoteFormat {
 public:
  explicit TfServingFormat(const RemoteEngine& engine)
      : path_("/v1/models/" + engine.model + (engine.version.empty() ? "" : "/versions/" + engine.version)) {}

  std::string MetadataPath() const override { return path_ + "/metadata"; }

  Result<RemoteInput> ReadMetadata(std::string_view body) const override {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    try {
      if (!json.is_object()) return Wrong("its description of the model is not JSON");
      const auto& inputs =
          json.at("metadata").at("signature_def").at("signature_def").at("serving_default").at("inputs");
      if (!inputs.is_object() || inputs.size() != 1) return Wrong("the model does not have one input");
      RemoteInput input{.name = inputs.begin().key(), .type = RemoteType::kFp32, .shape = {}};
      const std::string type = inputs.front().at("dtype");
      if (type == "DT_UINT8")
        input.type = RemoteType::kUint8;
      else if (type == "DT_HALF")
        input.type = RemoteType::kFp16;
      else if (type != "DT_FLOAT")
        return Fail(ErrorCode::kInternal,
                    fmt::format("the remote engine's model takes {} (expected DT_FLOAT, DT_HALF or DT_UINT8)",
                                type.substr(0, 16)));
      for (const auto& dimension : inputs.front().at("tensor_shape").at("dim"))
        input.shape.push_back(std::stoll(dimension.at("size").get<std::string>()));
      return input;
    } catch (const std::exception& e) {
      return Wrong(fmt::format("its description of the model lacks something ({})", e.what()));
    }
  }

  Result<RemoteQuestion> WriteQuestion(const RemoteInput& input, const Tensor& values) const override {
    RemoteQuestion question{.path = path_ + ":predict",
                            .body = "{\"instances\":",
                            .headers = {},
                            .content_type = "application/json"};
    question.body.reserve(values.values.size() * 12 + 64);
    if (input.type == RemoteType::kUint8) {
      for (const float value : values.values)
        if (!(value >= 0 && value <= 255) || value != std::floor(value))
          return Fail(ErrorCode::kBadRequest,
                      "the remote engine's model takes DT_UINT8, but the card's mean and scale make other "
                      "values than 0 "
                      "to 255",
                      "set input.mean to 0 and input.scale to 1");
      AppendTensor(question.body, values.values, values.shape, true);
    } else {
      AppendTensor(question.body, values.values, values.shape);
    }
    question.body += '}';
    return question;
  }

  Result<std::vector<Tensor>> ReadAnswer(std::string_view body, const std::string*,
                                         std::size_t count) const override {
    const auto text = ParseJsonTensors(body, {.max_numbers = kMaxValues});
    if (!text)
      return Wrong(HasBareWords(body) ? "it holds a value that is not finite" : text.error().message);
    const JsonValue* const predictions = text->root.Find("predictions");
    if (!predictions) return Wrong("it has no predictions");
    if (predictions->kind == Kind::kNumbers) {
      if (predictions->shape.front() != count)
        return Wrong(fmt::format("it has {} predictions (expected {})", predictions->shape.front(), count));
      const auto values = text->Numbers(*predictions);
      return std::vector{
          Tensor{.name = "", .shape = predictions->shape, .values = {values.begin(), values.end()}}};
    }
    if (predictions->kind != Kind::kList || predictions->items.size() != count)
      return Wrong(fmt::format("its predictions are no list of {}", count));
    return JoinRows(*text, predictions->items);
  }

 private:
  const std::string path_;
};

}  // namespace

std::unique_ptr<RemoteFormat> MakeTfServingFormat(const RemoteEngine& engine) {
  return std::make_unique<TfServingFormat>(engine);
}

}  // namespace unmask
