// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/json_tensors.hpp"
#include "model/served_model.hpp"
#include "serving/served_network.hpp"

namespace unmask::serving {

/// The bodies of TensorFlow Serving's REST interface (its api_rest.md). Pure. Errors are kBadRequest in that
/// server's words where it has some.

/// A question to :predict.
struct TfPredict {
  std::vector<float> values;
  std::size_t count = 0;  ///< instances
  bool rows = true;       ///< "instances" and "predictions"; false: "inputs" and "outputs"
};

/// Reads {"instances": ...} or {"inputs": ...}, the latter plain or by the input's name. `max_batch`:
/// instances.
Result<TfPredict> ReadTfPredict(std::string_view body, const TensorFacts& input, std::size_t max_batch);

/// {"predictions": [...]}, each of one instance, or {"outputs": ...}; a single output goes without its name.
std::string WriteTfPredictions(const TfPredict& question, const std::vector<Tensor>& outputs);

/// {"model_version_status": [...]}, the highest version first; `versions` rise.
std::string WriteTfStatus(const std::vector<VersionStatus>& versions);

/// The signature "serving_default".
std::string WriteTfMetadata(const ServedNetwork& network);

/// {"error": "..."}.
std::string WriteTfError(std::string_view message);

}  // namespace unmask::serving
