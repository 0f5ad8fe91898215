// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "compat/tf_serving/instances.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

struct TfServingOptions {
  std::string url;                 ///< "http://host:8501", with or without a path before /v1
  std::string model = "deepfake";  ///< its name there
  double timeout = 30;             ///< seconds, for the connection and for each silence after it
  double status_timeout = 3;       ///< likewise, of Status()
};

/// Asks TensorFlow Serving over its REST interface. Connections are kept for later calls. Thread-safe; calls
/// block their thread.
///
/// Errors are kInternal in the words that the Python client `requests` has for them, since clients of
/// predict-api may look for those, but with `tfserving` and 8501 in place of the real host and port, which
/// are nobody's business outside; the log has the real ones. kCancelled when `stop` is requested.
class TfServing {
 public:
  /// kBadRequest for an URL that is not http or https.
  static Result<std::unique_ptr<TfServing>> Create(TfServingOptions options);
  virtual ~TfServing() = default;

  /// One score for each instance, all asked for in one request.
  virtual Result<std::vector<float>> Predict(std::span<const float> values, const InstanceShape& shape,
                                             std::stop_token stop = {}) = 0;

  /// The model's status document. A status other than 200 is kInternal with "status=404" and the like.
  virtual Result<nlohmann::ordered_json> Status(std::stop_token stop = {}) = 0;
};

}  // namespace unmask::compat
