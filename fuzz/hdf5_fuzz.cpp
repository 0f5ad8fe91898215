// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as an HDF5 file of weights, as the confined process does: lists of layers, texts, numbers.
// libhdf5 itself crashes on some; tools/fuzz.sh goes on after that and tells its faults from ours.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/keras/hdf5_file.hpp"
#include "model/keras/weights.hpp"

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
    Try([&] { file.Text("", "model_config"); });
    Try([&] { file.Numbers("layers/conv2d/vars/0"); });
  });
  return 0;
}
