// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// What an importer is told of a model. What is empty is taken from the file when it says so; else the import
/// fails and names the option.
struct ImportRequest {
  std::filesystem::path
      file;          ///< ONNX, OpenVINO IR (.xml), TFLite, Keras .h5 or .keras; or a SavedModel's folder
  std::string name;  ///< letters, digits, '-', '_' and '.'
  int version = 0;   ///< 0: the next one
  std::filesystem::path models;  ///< the repository

  std::string architecture;  ///< of a file of weights alone: KerasOptions::architecture
  int height = 0;            ///< pixels, of a network that takes any size
  int width = 0;
  std::string colour;                         ///< "rgb" or "bgr"
  std::optional<std::array<float, 3>> scale;  ///< the network takes (x - mean) / scale, x in 0..255
  std::optional<std::array<float, 3>> mean;   ///< no mean beside a scale: 0
  /// What the network gives: "p_fake", "p_real", "logit" (of fake: log odds); of two classes "class:0" or
  /// "class:1", whichever is fake.
  std::string output;
  /// Side of the square that the network sees, as a multiple of the face box (CropRule::scale).
  std::optional<double> crop;
  std::string description;
  int time_limit = 120;  ///< seconds that reading and compiling may take
};

/// Makes `models/NAME/VERSION` of a model file that may come from anybody.
///
/// The file is read and compiled by another process of `program` (`PROGRAM --convert-model FOLDER`), which
/// has limits on memory, CPU and time and is confined (ConfineConverter): a damaged or hostile file costs an
/// error. The version appears whole or
/// not at all, with the network as OpenVINO IR that takes NCHW and gives the log odds of manipulation, golden
/// inputs with their logits, and hashes of all. Nothing is known of what its scores are worth: the card has
/// no calibration, and reports are inconclusive (not_calibrated). kConflict when the version exists.
Result<ModelCard> ImportModel(const ImportRequest& request, const std::filesystem::path& program);

/// The other process's part, which begins with confining itself: reads request.json of `folder` and leaves
/// the network and facts.json, or error.json. Returns its exit code.
int ConvertModel(const std::filesystem::path& folder);

}  // namespace unmask
