// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/keras/weight_file.hpp"

namespace unmask::keras {

/// The arrays of one layer, handed out in the order in which Keras stores them. Throws BadFile.
class LayerWeights {
 public:
  /// `layer` is what errors call it. `file` must outlive this object.
  LayerWeights(const WeightFile& file, std::string layer, std::vector<std::string> paths)
      : file_(&file), layer_(std::move(layer)), paths_(std::move(paths)) {}

  /// The next array, which must have `shape` and hold finite numbers. `name` is what errors call it.
  Array Take(const std::string& name, const std::vector<std::size_t>& shape);

  /// Whether arrays are left.
  bool empty() const { return next_ == paths_.size(); }

 private:
  const WeightFile* file_;
  std::string layer_;
  std::vector<std::string> paths_;
  std::size_t next_ = 0;
};

/// Which data sets belong to which layer. Layers are named by their path: model names and the layer's own,
/// with
/// '/' between.
class WeightStore {
 public:
  explicit WeightStore(const WeightFile& file) : file_(&file) {}

  void Add(const std::string& layer, std::vector<std::string> paths) { paths_[layer] = std::move(paths); }

  /// None when the layer was not added.
  LayerWeights Of(const std::string& layer) const;

 private:
  const WeightFile* file_;
  std::map<std::string, std::vector<std::string>> paths_;
};

/// A layer in a file of weights without a description of the network, and its data sets in order.
struct StoredLayer {
  std::string name;
  std::vector<std::string> paths;
};

/// The layers that `group` lists (attribute layer_names, Keras 1 to 3 in .h5), those without weights too.
std::vector<StoredLayer> StoredLayers(const WeightFile& file, const std::string& group);

}  // namespace unmask::keras
