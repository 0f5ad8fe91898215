// SPDX-License-Identifier: Apache-2.0
#include "feedback/faces_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "extract/labelling.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;
using Side = CropRule::SideOf;

constexpr auto kSchema = "unmask.feedback.faces/1";

Json ToJsonValue(const KeptFace& face) {
  const FaceQuality& quality = face.quality;
  return {{"file", FaceFileName(face)},
          {"track", face.track},
          {"frame", face.frame},
          {"time", face.time},
          {"box", {face.box.x, face.box.y, face.box.width, face.box.height}},
          {"detector_score", face.detector_score},
          {"landmarks", face.landmarks ? Json(*face.landmarks) : Json(nullptr)},
          {"quality",
           {{"size", quality.size},
            {"sharpness", quality.sharpness},
            {"brightness", quality.brightness},
            {"yaw", quality.yaw},
            {"pitch", quality.pitch},
            {"drawing", quality.drawing},
            {"codes", quality.codes}}},
          {"crop", {face.crop_x, face.crop_y, face.crop_side}},
          {"side", face.picture.width}};
}

KeptFace ReadFace(const Json& json) {
  const auto box = json.at("box").get<std::array<double, 4>>();
  const auto crop = json.at("crop").get<std::array<int, 3>>();
  const Json& quality = json.at("quality");
  KeptFace face{.track = json.at("track"),
                .frame = json.at("frame"),
                .time = json.at("time"),
                .box = {box[0], box[1], box[2], box[3]},
                .detector_score = json.at("detector_score"),
                .quality = {.size = quality.at("size"),
                            .sharpness = quality.at("sharpness"),
                            .brightness = quality.at("brightness"),
                            .yaw = quality.at("yaw"),
                            .pitch = quality.at("pitch"),
                            .drawing = quality.at("drawing"),
                            .codes = quality.at("codes")},
                .crop_x = crop[0],
                .crop_y = crop[1],
                .crop_side = crop[2],
                .picture = {.width = json.at("side"), .height = json.at("side"), .bgr = {}}};
  if (!json.at("landmarks").is_null()) face.landmarks = json.at("landmarks").get<std::array<double, 8>>();
  if (face.frame < 0 || face.track < 1 || face.crop_side < 1 || face.picture.width < 1)
    throw std::runtime_error("a face is out of range");
  return face;
}

}  // namespace

std::string FaceFileName(const KeptFace& face) { return fmt::format("f{:06}.jpg", face.frame); }

std::string FacesToJson(const FeedbackFaces& faces) {
  const CropRule& crop = faces.crop;
  Json json = {
      {"schema", kSchema},
      {"detector", faces.detector},
      {"crop",
       {{"side_of", SideName(crop.side_of)}, {"scale", crop.scale}, {"dx", crop.dx}, {"dy", crop.dy}}},
      {"faces", Json::array()}};
  for (const FeedbackFace& face : faces.faces) json["faces"].push_back(ToJsonValue(face.facts));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<FeedbackFaces> FacesFromJson(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema") != kSchema) throw std::runtime_error(fmt::format("schema must be {}", kSchema));
    const Json& crop = json.at("crop");
    FeedbackFaces faces{.crop = {.scale = crop.at("scale"), .dx = crop.at("dx"), .dy = crop.at("dy")},
                        .detector = json.at("detector"),
                        .faces = {}};
    for (const Side side : {Side::kWidth, Side::kHeight, Side::kLonger, Side::kGeometricMean})
      if (crop.at("side_of") == SideName(side)) faces.crop.side_of = side;
    for (const Json& face : json.at("faces")) faces.faces.push_back({ReadFace(face), {}});
    return faces;
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, fmt::format("faces.json is damaged: {}", e.what()));
  }
}

}  // namespace unmask
