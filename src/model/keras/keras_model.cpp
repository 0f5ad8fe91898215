// SPDX-License-Identifier: Apache-2.0
#include "model/keras/keras_model.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/keras/hdf5_file.hpp"
#include "model/keras/meso.hpp"
#include "model/keras/network_builder.hpp"
#include "model/keras/weight_plan.hpp"
#include "model/keras/zip_file.hpp"

namespace unmask {
namespace {

using namespace keras;
using nlohmann::json;

/// The file's layers with weights are the architecture's, one after the other.
WeightStore WeightsInOrder(const WeightFile& file, const std::vector<StoredLayer>& layers,
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

/// The config, made of JSON by Keras: NaN and Infinity are refused, and so is a text that is not JSON.
json ParseConfig(const std::string& text) {
  try {
    return json::parse(text);
  } catch (const json::exception& e) {
    throw BadFile(fmt::format("its description of the network is no JSON: {}", e.what()));
  }
}

/// Keras' major version, of e.g. "2.13.1-tf".
int MajorOf(const std::string& version) {
  int major = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), major);
  if (error != std::errc() || major < 1 || major > 3)
    throw BadFile(fmt::format("it was written by Keras {} (expected 1 to 3)", version.substr(0, 20)));
  return major;
}

BuildOptions BuildWith(const KerasOptions& options, int keras) {
  return {.keras = keras, .height = options.height, .width = options.width};
}

std::shared_ptr<ov::Model> ReadWholeHdf5(const Hdf5File& file, const KerasOptions& options) {
  const json model = ParseConfig(file.Text("", "model_config"));
  int keras = 2;
  if (file.HasAttribute("", "keras_version")) keras = MajorOf(file.Text("", "keras_version"));
  CheckLayers(model);
  const WeightStore weights = PlanListed(file, "model_weights", model);
  return NetworkBuilder(weights, BuildWith(options, keras)).Build(model);
}

std::shared_ptr<ov::Model> ReadHdf5(const std::filesystem::path& path, const KerasOptions& options) {
  const Hdf5File file = Hdf5File::Open(path);
  if (file.HasAttribute("", "model_config") && options.architecture.empty())
    return ReadWholeHdf5(file, options);
  if (file.HasAttribute("", "layer_names") || file.HasAttribute("", "layer_names0"))
    return ReadWeightsAlone(file, options);
  throw BadFile("it is an HDF5 file, but holds no model of Keras (no attribute model_config or layer_names)",
                "save the whole model: model.save(\"model.keras\")");
}

std::shared_ptr<ov::Model> ReadZip(const std::filesystem::path& path, const KerasOptions& options) {
  ZipParts parts = UnpackKeras(path);
  if (!parts.texts.contains("config.json") || parts.weights.empty())
    throw BadFile(
        "it is an archive without the config.json or model.weights.h5 of a Keras model",
        "expected what model.save(\"model.keras\") writes; an archive of PyTorch holds a pickle: export "
        "it as ONNX with torch.onnx.export");
  int keras = 3;
  if (parts.texts.contains("metadata.json"))
    keras = MajorOf(ParseConfig(parts.texts["metadata.json"]).value("keras_version", "3"));
  const json model = ParseConfig(parts.texts["config.json"]);
  CheckLayers(model);
  const auto content = MappedFile::Open(parts.weights[0].path());
  if (!content) throw BadFile("model.weights.h5 cannot be read: " + content.error().message);
  const Hdf5File file = Hdf5File::FromBytes(content->bytes());
  const WeightStore weights = PlanNumbered(file, model);
  return NetworkBuilder(weights, BuildWith(options, keras)).Build(model);
}

/// As many bytes as the longer of the two marks has; fewer of a shorter file.
std::string FirstBytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string first(8, '\0');
  stream.read(first.data(), static_cast<std::streamsize>(first.size()));
  first.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  return first;
}

constexpr const char* kSaveAgain =
    "save the model again where it was made, with model.save(\"model.keras\"), or export it as ONNX";

}  // namespace

bool IsKerasFile(const std::filesystem::path& file) {
  const std::string first = FirstBytes(file);
  return LooksLikeHdf5(first) || LooksLikeZip(first);
}

Result<std::shared_ptr<ov::Model>> ReadKerasModel(const std::filesystem::path& file,
                                                  const KerasOptions& options) {
  try {
    return LooksLikeHdf5(FirstBytes(file)) ? ReadHdf5(file, options) : ReadZip(file, options);
  } catch (const BadFile& e) {
    return Fail(ErrorCode::kBadRequest, e.what(), e.hint.empty() ? kSaveAgain : e.hint);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kBadRequest, "it needs more memory than its reader may use",
                "the file claims sizes that no network has");
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kBadRequest, fmt::format("the file cannot be used: {}", e.what()), kSaveAgain);
  }
}

}  // namespace unmask
