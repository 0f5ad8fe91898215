// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "model/keras/weights.hpp"

namespace unmask::keras {

/// A network that is published as weights alone: its description as Keras would write it, and the layers that
/// have weights in the order of such files.
struct Architecture {
  std::string name;
  nlohmann::json model;
  struct Weighted {
    std::string layer;
    std::size_t arrays;
  };
  std::vector<Weighted> weighted;
};

/// Names for --arch: meso4 and mesoinception4, of Afchar et al., "MesoNet: a Compact Facial Video Forgery
/// Detection Network", 2018.
std::vector<std::string> ArchitectureNames();

/// Empty for an unknown name.
std::optional<Architecture> FindArchitecture(std::string_view name);

/// The one whose layers have as many weights, in the file's order, whatever they are called there.
std::optional<Architecture> RecogniseArchitecture(const std::vector<StoredLayer>& layers);

}  // namespace unmask::keras
