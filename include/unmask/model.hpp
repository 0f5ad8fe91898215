// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "unmask/report.hpp"

namespace unmask {

/// How a network wants its pictures. Values are (x - mean) / scale for x in 0..255, channels in the stated
/// order.
struct ModelInput {
  std::string name;  ///< the tensor's name
  int width = 0;
  int height = 0;
  bool rgb = true;  ///< false: blue first
  std::array<float, 3> mean{};
  std::array<float, 3> scale{1, 1, 1};
};

/// Which part of the picture around a face the network was trained on: a square whose centre is the face
/// box's centre moved by (dx, dy) of the box's size, and whose side is `scale` times `side_of` the box. The
/// box is YuNet's; other detectors' boxes are mapped to it first.
struct CropRule {
  enum class SideOf { kWidth, kHeight, kLonger, kGeometricMean };
  SideOf side_of = SideOf::kGeometricMean;
  double scale = 1;
  double dx = 0;
  double dy = 0;

  bool operator==(const CropRule&) const = default;
};

/// A second output that says where the face was changed: probabilities 0..1 on a grid over the crop, row by
/// row.
struct MaskOutput {
  std::string name;  ///< the tensor's name; empty when the model has none
  int width = 0;
  int height = 0;
};

/// score = sigmoid(slope * logit + intercept), Platt 1999.
struct Calibration {
  bool fitted = false;
  double slope = 1;
  double intercept = 0;
};

/// How a mean logit becomes a score and a verdict. The mean of many faces scatters less than one face does,
/// so the same mean says more.
struct OperatingPoint {
  int faces = 1;  ///< from so many good faces on
  Calibration calibration;
  Thresholds thresholds;
};

/// Something that the model cannot see, or does badly.
struct ModelLimit {
  std::string text;  ///< a plain sentence
  /// Situations that must all hold for a report to quote it (analysis/limits.hpp); empty: every report does.
  std::vector<std::string> when;
};

/// A version that an ensemble asks, as its card names it. Its card and files lie in the same repository.
struct EnsembleMember {
  std::string name;
  int version = 0;
  std::string sha256;  ///< of its weights (ModelCard::sha256); empty when it runs elsewhere and states none
};

/// How the logits of an ensemble's members become one: bias + sum of weight * logit.
struct Combination {
  bool fitted = false;          ///< false: the mean of the logits
  std::vector<double> weights;  ///< one for each member, finite and not negative, not all 0
  double bias = 0;
};

/// Several models that judge each face together.
struct Ensemble {
  std::vector<EnsembleMember> members;  ///< 2..16, each once, none an ensemble itself
  Combination combination;
};

/// All that model.json states: what the network takes and gives, and how good it is. An ensemble has no
/// network, input, crop, output and mask of its own: those are its members'.
struct ModelCard {
  std::string name;
  int version = 0;
  std::string description;
  std::filesystem::path folder;              ///< models/<name>/<version>
  std::string network_file;                  ///< within the folder
  std::map<std::string, std::string> files;  ///< name to sha256; the network's are checked at load
  std::string sha256;                        ///< of the weights; of an ensemble: of its model.json
  ModelInput input;
  std::string output_name;
  MaskOutput mask;
  CropRule crop;
  Calibration calibration;
  Thresholds thresholds;
  std::vector<OperatingPoint> tracks;  ///< for tracks, by rising number of faces, each above 1; may be empty
  std::vector<ModelLimit> limits;
  std::string licence;
  std::optional<Ensemble> ensemble;
  std::vector<ModelCard> members;  ///< of an ensemble that the repository gave: their cards, in its order
  std::string json;                ///< the file as it is, for `unmask model show` and the API
};

}  // namespace unmask
