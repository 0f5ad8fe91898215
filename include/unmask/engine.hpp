// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace unmask {

/// Lets the network of a model of the repository run elsewhere in this process, whatever its card says
/// (docs/engines.md). The choice for a version goes before that for all versions of the name; of two for the
/// same, the later one counts.
struct EngineChoice {
  std::string model;  ///< NAME, or NAME:VERSION
  /// Where its protocol has the model: "http://host:8000/v2/models/NAME[/versions/N]" is KServe v2 (Triton),
  /// "http://host:8501/v1/models/NAME[/versions/N]" TensorFlow Serving's REST interface. The card's other
  /// settings of an engine stay; "?max_batch=16&timeout=5" at the end replaces those by their names.
  std::string url;
};

}  // namespace unmask
