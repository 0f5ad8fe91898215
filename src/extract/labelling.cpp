// SPDX-License-Identifier: Apache-2.0
#include "extract/labelling.hpp"

#include <nlohmann/json.hpp>

namespace unmask {

using Json = nlohmann::ordered_json;

std::string_view SideName(CropRule::SideOf side) {
  switch (side) {
    case CropRule::SideOf::kWidth:
      return "width";
    case CropRule::SideOf::kHeight:
      return "height";
    case CropRule::SideOf::kLonger:
      return "longer";
    case CropRule::SideOf::kGeometricMean:
      return "geometric_mean";
  }
  return "geometric_mean";
}

SourceFacts Labelling::Describe(const std::string& name, const std::string& sha256) const {
  SourceFacts facts{.name = name, .sha256 = sha256, .label = label, .group = {}, .split = {}, .detector = {}};
  if (label.empty()) facts.label = LabelOfPath(name);
  facts.group = GroupOf(group_by, name, sha256);
  facts.split = AssignSplit(splits, seed, facts.group);
  return facts;
}

std::string SettingsJson(const CutOptions& cut, const Labelling& labelling, const std::string& model,
                         const std::string& detector) {
  Json json;
  json["detector"] = detector;
  json["crop"] = {{"box", "yunet"},
                  {"side_of", SideName(cut.crop.side_of)},
                  {"scale", cut.crop.scale},
                  {"dx", cut.crop.dx},
                  {"dy", cut.crop.dy}};
  json["model"] = model.empty() ? Json() : Json(model);
  json["size"] = cut.size;
  json["enlarge"] = cut.enlarge;
  json["format"] = ExtensionOf(cut.format);
  json["quality"] = cut.format == CropFormat::kJpeg ? Json(cut.quality) : Json();
  json["mode"] = SampleModeName(cut.sampling.mode);
  json["fps"] = cut.sampling.mode == SampleMode::kFps ? Json(cut.sampling.fps) : Json();
  json["max_frames"] = cut.sampling.max_frames;
  json["min_size"] = cut.min_size;
  json["skip"] = cut.skip_codes;
  json["max_per_track"] = cut.max_per_track;
  json["label"] = labelling.label;
  json["group_by"] = GroupByName(labelling.group_by);
  for (const SplitShare& split : labelling.splits) json["split"][split.name] = split.share;
  json["seed"] = labelling.seed;
  return json.dump();
}

}  // namespace unmask
