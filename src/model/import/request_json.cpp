// SPDX-License-Identifier: Apache-2.0
#include "model/import/request_json.hpp"

namespace unmask {

using nlohmann::json;

json ToJson(const ImportRequest& request) {
  json result = {{"file", request.file.string()}, {"architecture", request.architecture},
                 {"height", request.height},      {"width", request.width},
                 {"colour", request.colour},      {"output", request.output}};
  if (request.scale) result["scale"] = *request.scale;
  if (request.mean) result["mean"] = *request.mean;
  if (request.crop) result["crop"] = *request.crop;
  return result;
}

ImportRequest RequestFrom(const json& j) {
  ImportRequest request;
  request.file = j.at("file").get<std::string>();
  request.architecture = j.at("architecture");
  request.height = j.at("height");
  request.width = j.at("width");
  request.colour = j.at("colour");
  request.output = j.at("output");
  if (j.contains("scale")) request.scale = j["scale"].get<std::array<float, 3>>();
  if (j.contains("mean")) request.mean = j["mean"].get<std::array<float, 3>>();
  if (j.contains("crop")) request.crop = j["crop"].get<double>();
  return request;
}

}  // namespace unmask
