// SPDX-License-Identifier: Apache-2.0
#include "compat/check/judgement.hpp"

#include <nlohmann/json.hpp>

#include "compat/python.hpp"

namespace unmask::compat {
namespace {

using nlohmann::json;

/// The member when it is a number, else nothing.
std::optional<double> Number(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<std::string> Text(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<Judgement> Labelled(const json& body, const char* label, const char* score) {
  if (!body.is_object()) return std::nullopt;
  const auto word = Text(body, label);
  const auto number = Number(body, score);
  if (!word || !number) return std::nullopt;
  return Judgement{*word, *number};
}

/// [{"prediction", "probability"}, ...], bare or as a member.
std::optional<Judgement> OfPredictions(const json& body) {
  const json* list = &body;
  for (const char* key : {"predictions", "Predictions"})
    if (body.is_object() && body.contains(key)) list = &body.at(key);
  if (!list->is_array() || list->empty()) return std::nullopt;
  double sum = 0;
  for (const auto& item : *list) {
    const auto one = Labelled(item, "prediction", "probability");
    if (!one) return std::nullopt;
    sum += SameLabel(one->label, "Fake") ? one->score : 1 - one->score;
  }
  const double fake = sum / static_cast<double>(list->size());
  return Judgement{fake > 0.5 ? "Fake" : "Real", fake};
}

/// "The image is Real with a confidence of 0.83"
std::optional<Judgement> OfAlert(const json& body) {
  constexpr std::string_view kBegin = "The image is ", kMiddle = " with a confidence of ";
  const auto alert = body.is_object() ? Text(body, "alert") : std::nullopt;
  if (!alert || !alert->starts_with(kBegin)) return std::nullopt;
  const auto middle = alert->find(kMiddle);
  if (middle == std::string::npos) return std::nullopt;
  const auto score = ParsePythonFloat(std::string_view(*alert).substr(middle + kMiddle.size()));
  if (!score) return std::nullopt;
  return Judgement{alert->substr(kBegin.size(), middle - kBegin.size()), *score};
}

}  // namespace

std::optional<Judgement> ReadJudgement(Contract contract, std::string_view body) {
  const auto value = json::parse(body, nullptr, false);
  switch (contract) {
    case Contract::kMicroserviceV1:
    case Contract::kMicroserviceV2:
      return OfPredictions(value);
    case Contract::kWebUpload:
      return OfAlert(value);
    case Contract::kMesonetApi:
      return Labelled(value, "prediction", "avg_score");
    case Contract::kPredictApi:
      return Labelled(value, "label", "score");
  }
  return std::nullopt;
}

bool SameLabel(std::string_view a, std::string_view b) {
  const auto is_fake = [](std::string_view word) {
    return http::EqualsIgnoreCase(word, "fake") || http::EqualsIgnoreCase(word, "deepfake");
  };
  return is_fake(a) == is_fake(b);
}

}  // namespace unmask::compat
