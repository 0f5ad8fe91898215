// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "model/ensemble.hpp"
#include "model/repository.hpp"

namespace unmask {
namespace {

using nlohmann::json;

/// Throws json::exception with the path of what is missing or of the wrong type; ParseModelCard turns it into
/// an Error.
CropRule ReadCrop(const json& crop) {
  if (crop.at("box") != "yunet") throw std::runtime_error("crop.box must be \"yunet\"");
  CropRule rule;
  const std::string side = crop.at("side_of");
  if (side == "width")
    rule.side_of = CropRule::SideOf::kWidth;
  else if (side == "height")
    rule.side_of = CropRule::SideOf::kHeight;
  else if (side == "longer")
    rule.side_of = CropRule::SideOf::kLonger;
  else if (side == "geometric_mean")
    rule.side_of = CropRule::SideOf::kGeometricMean;
  else
    throw std::runtime_error(
        fmt::format("crop.side_of is \"{}\" (expected width, height, longer or geometric_mean)", side));
  rule.scale = crop.at("scale");
  rule.dx = crop.at("dx");
  rule.dy = crop.at("dy");
  if (!(rule.scale > 0.1 && rule.scale < 10)) throw std::runtime_error("crop.scale must be in 0.1..10");
  return rule;
}

ModelInput ReadInput(const json& input) {
  ModelInput result;
  result.name = input.at("name");
  result.width = input.at("width");
  result.height = input.at("height");
  if (result.width < 16 || result.width > 1024 || result.height < 16 || result.height > 1024)
    throw std::runtime_error("input.width and input.height must be in 16..1024");
  if (input.at("layout") != "NCHW") throw std::runtime_error("input.layout must be \"NCHW\"");
  if (input.at("resize") != "area") throw std::runtime_error("input.resize must be \"area\"");
  const std::string color = input.at("color");
  if (color != "RGB" && color != "BGR") throw std::runtime_error("input.color must be \"RGB\" or \"BGR\"");
  result.rgb = color == "RGB";
  result.mean = input.at("mean").get<std::array<float, 3>>();
  result.scale = input.at("scale").get<std::array<float, 3>>();
  for (const float s : result.scale)
    if (!(s > 0)) throw std::runtime_error("input.scale must be above 0");
  return result;
}

/// Files of the model must lie in its own folder. `key` names the list in messages.
void CheckFiles(const std::map<std::string, std::string>& files, std::string_view key) {
  for (const auto& [name, hash] : files) {
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos)
      throw std::runtime_error(fmt::format("{} has the name \"{}\" (expected a plain file name)", key, name));
    if (hash.size() != 64) throw std::runtime_error(fmt::format("{}.{} is no sha256", key, name));
  }
}

Calibration ReadCalibration(const json& j) {
  if (!j.contains("calibration") || j["calibration"].is_null()) return {};
  const json& c = j["calibration"];
  const Calibration calibration{.fitted = true, .slope = c.at("slope"), .intercept = c.at("intercept")};
  if (!(calibration.slope > 0)) throw std::runtime_error("calibration.slope must be above 0");
  return calibration;
}

Thresholds ReadThresholds(const json& j) {
  const json& manipulated = j.at("thresholds").at("manipulated");
  const json& clear = j.at("thresholds").at("clear");
  const Thresholds thresholds{.manipulated = manipulated.at("score"),
                              .clear = clear.at("score"),
                              .fpr_at_manipulated = manipulated.at("fpr"),
                              .fpr_at_clear = clear.at("fpr")};
  if (!(thresholds.clear >= 0 && thresholds.clear <= thresholds.manipulated && thresholds.manipulated <= 1))
    throw std::runtime_error("thresholds must satisfy 0 <= clear <= manipulated <= 1");
  return thresholds;
}

/// A sentence, or {"text": ..., "when": [...]}.
ModelLimit ReadLimit(const json& limit) {
  if (limit.is_string()) return {.text = limit, .when = {}};
  return {.text = limit.at("text"), .when = limit.value("when", std::vector<std::string>())};
}

void ReadFiles(const json& network, ModelCard& card) {
  card.network_file = network.at("file");
  card.files = network.at("files").get<std::map<std::string, std::string>>();
  CheckFiles(card.files, "network.files");
  if (!card.files.contains(card.network_file))
    throw std::runtime_error("network.files must name network.file");
  // An IR keeps its weights in the .bin beside the .xml; every other format is one file.
  const auto weights = std::filesystem::path(card.network_file).replace_extension(".bin").string();
  card.sha256 = card.files.contains(weights) ? card.files.at(weights) : card.files.at(card.network_file);
}

/// What a model with a network of its own states of it.
void ReadNetwork(const json& j, ModelCard& card) {
  // A network that runs elsewhere need not lie here.
  const bool remote = j.contains("engine") && !j["engine"].is_null();
  if (!remote || j.contains("network")) ReadFiles(j.at("network"), card);
  card.input = ReadInput(j.at("input"));
  card.crop = ReadCrop(j.at("crop"));
  card.output_name = j.at("output").at("name");
  if (j.at("output").at("meaning") != "manipulated")
    throw std::runtime_error("output.meaning must be \"manipulated\"");
  if (!j.contains("mask") || j["mask"].is_null()) return;
  const json& mask = j["mask"];
  if (mask.at("meaning") != "changed") throw std::runtime_error("mask.meaning must be \"changed\"");
  card.mask = {.name = mask.at("name"), .width = mask.at("width"), .height = mask.at("height")};
  if (card.mask.name.empty()) throw std::runtime_error("mask.name must not be empty");
  if (card.mask.width < 1 || card.mask.width > 1024 || card.mask.height < 1 || card.mask.height > 1024)
    throw std::runtime_error("mask.width and mask.height must be in 1..1024");
}

/// What an ensemble states instead. Its hash is that of the whole text, which pins members and combination.
void ReadMembers(const json& j, ModelCard& card) {
  for (const char* key : {"network", "engine", "input", "crop", "output", "mask"})
    if (j.contains(key) && !j[key].is_null())
      throw std::runtime_error(
          fmt::format("an ensemble has no \"{}\" of its own: each member's card states it", key));
  auto ensemble = ReadEnsemble(j["ensemble"]);
  if (!ensemble) throw std::runtime_error(ensemble.error().message);
  card.ensemble = std::move(*ensemble);
  if (j["ensemble"].contains("files")) {
    card.files = j["ensemble"]["files"].get<std::map<std::string, std::string>>();
    CheckFiles(card.files, "ensemble.files");
  }
  Sha256 hash;
  hash.Update(card.json);
  card.sha256 = hash.Finish();
}

ModelCard Read(const std::string& text) {
  const json j = json::parse(text);
  if (j.at("schema") != "unmask.model/1") throw std::runtime_error("schema must be \"unmask.model/1\"");
  ModelCard card;
  card.json = text;
  card.name = j.at("name");
  card.version = j.at("version");
  card.description = j.value("description", "");
  card.licence = j.value("licence", "");
  if (j.contains("ensemble") && !j["ensemble"].is_null())
    ReadMembers(j, card);
  else
    ReadNetwork(j, card);
  card.calibration = ReadCalibration(j);
  card.thresholds = ReadThresholds(j);
  if (j.contains("tracks"))
    for (const json& track : j["tracks"]) {
      OperatingPoint point{.faces = track.at("faces"),
                           .calibration = ReadCalibration(track),
                           .thresholds = ReadThresholds(track)};
      if (point.faces <= (card.tracks.empty() ? 1 : card.tracks.back().faces))
        throw std::runtime_error("tracks must rise in faces, from 2 on");
      card.tracks.push_back(point);
    }
  if (j.contains("limits"))
    for (const json& limit : j["limits"]) card.limits.push_back(ReadLimit(limit));
  return card;
}

}  // namespace

Result<ModelCard> ParseModelCard(const std::string& text) {
  try {
    return Read(text);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, fmt::format("model.json is not a model card: {}", e.what()),
                "restore it, or export the model again");
  }
}

}  // namespace unmask
