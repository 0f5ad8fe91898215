// SPDX-License-Identifier: Apache-2.0
#include "model/keras/weights.hpp"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace unmask::keras {

Array LayerWeights::Take(const std::string& name, const std::vector<std::size_t>& shape) {
  if (empty())
    throw BadFile(fmt::format("layer '{}' has {} weights in the file (expected also its {})", layer_,
                              paths_.size(), name));
  Array array = file_->Numbers(paths_[next_++]);
  if (array.shape != shape)
    throw BadFile(fmt::format("layer '{}': {} has the shape [{}] (expected [{}])", layer_, name,
                              fmt::join(array.shape, ", "), fmt::join(shape, ", ")));
  for (const float value : array.values)
    if (!std::isfinite(value))
      throw BadFile(fmt::format("layer '{}': {} holds a value that is not finite ({})", layer_, name, value),
                    "the training diverged or the file is damaged: save the model at an earlier step");
  return array;
}

LayerWeights WeightStore::Of(const std::string& layer) const {
  const auto found = paths_.find(layer);
  return {*file_, layer, found == paths_.end() ? std::vector<std::string>() : found->second};
}

std::vector<StoredLayer> StoredLayers(const WeightFile& file, const std::string& group) {
  const std::string prefix = group.empty() ? "" : group + "/";
  std::vector<StoredLayer> layers;
  for (std::string& name : file.Texts(group, "layer_names")) {
    StoredLayer layer{.name = std::move(name), .paths = {}};
    for (const std::string& weight : file.Texts(prefix + layer.name, "weight_names"))
      layer.paths.push_back(prefix + layer.name + "/" + weight);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace unmask::keras
