// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "unmask/error.hpp"

namespace ov {
class Model;
}

namespace unmask {

struct KerasOptions {
  /// For a file of weights alone, the network that they belong to (keras::ArchitectureNames()). Empty:
  /// recognised from the layers.
  std::string architecture;
  /// Pixels of an input whose size the file leaves open; 0: stays open.
  std::size_t height = 0;
  std::size_t width = 0;
};

/// Whether a file's first bytes are those of HDF5 or of a ZIP archive, as every Keras file's are, whatever it
/// is called. Parses nothing. False for what cannot be read.
bool IsKerasFile(const std::filesystem::path& file);

/// Rebuilds the network of a Keras file in the engine's terms, without TensorFlow, as it computes at
/// inference. The input keeps Keras' order: [N, height, width, channels], floats, N open.
///
/// Reads whole models (.h5 of Keras 1 to 3, .keras), Sequential and functional, of the layers that
/// docs/models.md lists; and .h5 with the weights alone of Meso4 or MesoInception4. Nothing in a file is run.
/// kBadRequest when the file is damaged, holds something else or has parts that are not known: the message
/// names them. A hostile file is bounded in memory and work as keras::Hdf5File says.
Result<std::shared_ptr<ov::Model>> ReadKerasModel(const std::filesystem::path& file,
                                                  const KerasOptions& options = {});

}  // namespace unmask
