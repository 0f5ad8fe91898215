// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/serve.hpp"
#include "serving/predictor.hpp"
#include "unmask/analyzer.hpp"

namespace unmask::serving {

/// Whether and what `unmask serve` serves to programs that ask TensorFlow Serving or a KServe v2 server,
/// Triton for one, for a network's outputs. Nothing without a listener.
struct ServingOptions {
  std::vector<std::string> tf_serving;  ///< "ADDR:PORT" of its REST interface; may be none
  std::vector<std::string> kserve;      ///< "ADDR:PORT"; may be none
  std::vector<std::string>
      models;  ///< "NAME" (highest version) or "NAME:VERSION"; empty: the one that judges
  PredictLimits limits;
};

/// Loads the models, and gives the listeners' routes. `on_listening` is told each of them as "tf-serving" or
/// "kserve". Fails as ServedNetwork::Load() and ModelRepository::Find() do, and with kBadRequest for models
/// without a listener.
Result<MakeSites> ServingSites(
    const ServingOptions& options, const AnalyzerConfig& config,
    std::function<void(std::string_view name, const std::string& url)> on_listening);

}  // namespace unmask::serving
