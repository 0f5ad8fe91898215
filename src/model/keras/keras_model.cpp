// SPDX-License-Identifier: Apache-2.0
#include "model/keras/keras_model.hpp"

#include <array>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/keras/meso.hpp"
#include "model/keras/network_builder.hpp"

namespace unmask {
namespace {

using namespace keras;

/// The file's layers with weights are the architecture's, one after the other.
WeightStore WeightsInOrder(const Hdf5File& file, const std::vector<StoredLayer>& layers,
                           const Architecture& architecture) {
  WeightStore store(file);
  std::size_t next = 0;
  for (const StoredLayer& layer : layers) {
    if (layer.paths.empty()) continue;
    if (next < architecture.weighted.size()) store.Add(architecture.weighted[next].layer, layer.paths);
    ++next;
  }
  if (next != architecture.weighted.size())
    throw BadFile(fmt::format("the file has {} layers with weights (expected {} for {})", next,
                              architecture.weighted.size(), architecture.name),
                  "name the right network with --arch");
  return store;
}

std::shared_ptr<ov::Model> ReadWeightsAlone(const Hdf5File& file, const KerasOptions& options) {
  const auto layers = StoredLayers(file, "");
  const auto architecture =
      options.architecture.empty() ? RecogniseArchitecture(layers) : FindArchitecture(options.architecture);
  if (!architecture)
    throw BadFile(options.architecture.empty()
                      ? "the file holds weights without a description of the network, and not of a known one"
                      : fmt::format("the network '{}' is not known", options.architecture),
                  fmt::format("name its network with --arch (one of {}), or save the whole model: "
                              "model.save(\"model.keras\")",
                              fmt::join(ArchitectureNames(), ", ")));
  const WeightStore weights = WeightsInOrder(file, layers, *architecture);
  return NetworkBuilder(weights, {.keras = 2, .height = options.height, .width = options.width})
      .Build(architecture->model);
}

std::shared_ptr<ov::Model> Read(const std::filesystem::path& path, const KerasOptions& options) {
  const Hdf5File file = Hdf5File::Open(path);
  if (file.HasAttribute("", "layer_names") || file.HasAttribute("", "layer_names0"))
    return ReadWeightsAlone(file, options);
  throw BadFile("it is an HDF5 file, but holds no weights of Keras (no attribute layer_names)",
                "give the weights of Meso4 or MesoInception4");
}

}  // namespace

bool IsKerasFile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 8> first{};
  stream.read(first.data(), first.size());
  return stream && LooksLikeHdf5({first.data(), first.size()});
}

Result<std::shared_ptr<ov::Model>> ReadKerasModel(const std::filesystem::path& file,
                                                  const KerasOptions& options) {
  try {
    return Read(file, options);
  } catch (const BadFile& e) {
    return Fail(ErrorCode::kBadRequest, e.what(), e.hint);
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kBadRequest, fmt::format("the file cannot be used: {}", e.what()));
  }
}

}  // namespace unmask
