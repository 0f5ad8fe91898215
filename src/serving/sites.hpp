// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/serve.hpp"
#include "serving/predictor.hpp"
#include "unmask/analyzer.hpp"
#include "unmask/serving.hpp"

namespace unmask::serving {

/// Whether and what `unmask serve` serves to programs that ask TensorFlow Serving or a KServe v2 server,
/// Triton for one, for a network's outputs. Nothing without a listener.
struct ServingOptions {
  std::vector<std::string> tf_serving;  ///< "ADDR:PORT" of its REST interface; may be none
  std::vector<std::string> kserve;      ///< "ADDR:PORT"; may be none
  std::vector<std::string> models;  ///< "NAME" (its versions come and go) or "NAME:VERSION" and "NAME@LABEL"
                                    ///< (that version alone); empty: the one that judges
  PredictLimits limits;
};

/// The listeners' routes. The model that judges is offered as the analyzer has it loaded; others are loaded
/// when the sites are made, and followed as `watch` says. `on_listening` is told each listener as
/// "tf-serving" or "kserve". Fails with kBadRequest for options that make no sense together; the sites fail
/// as LoadChecked(), ProbeTensors() and ModelRepository::Find() do.
Result<MakeSites> ServingSites(
    const ServingOptions& options, const AnalyzerConfig& config, const ModelWatch& watch,
    std::function<void(std::string_view name, const std::string& url)> on_listening);

}  // namespace unmask::serving
