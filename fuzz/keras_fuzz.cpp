// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as a Keras file in HDF5: its attributes of text, its list of layers, its numbers, and its
// network.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "model/keras/meso.hpp"
#include "model/keras/network_builder.hpp"
#include "model/keras/weight_plan.hpp"

namespace {

using namespace unmask::keras;

void ReadWeights(const Hdf5File& file, const std::string& group) {
  for (const StoredLayer& layer : StoredLayers(file, group))
    for (const std::string& path : layer.paths) {
      const Array array = file.Numbers(path);
      std::size_t count = 1;
      for (const std::size_t size : array.shape) count *= size;
      if (count != array.values.size()) std::abort();
    }
}

void ReadModel(const Hdf5File& file) {
  const auto model = nlohmann::json::parse(file.Text("", "model_config"));
  CheckLayers(model);
  const WeightStore weights = PlanListed(file, "model_weights", model);
  if (NetworkBuilder(weights, {.keras = 2}).Build(model) == nullptr) std::abort();
}

template <typename Step>
void Try(Step step) {
  try {
    step();
  } catch (const std::exception&) {  // ReadKerasModel() makes an error of it
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Try([&] {
    const Hdf5File file = Hdf5File::FromBytes(bytes);
    Try([&] { ReadWeights(file, ""); });
    Try([&] { ReadWeights(file, "model_weights"); });
    Try([&] { ReadModel(file); });
  });
  return 0;
}
