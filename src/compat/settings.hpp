// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "unmask/error.hpp"

namespace unmask::compat {

/// A variable of the environment, nothing when it is unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// What the originals read from their environment, under the same names, so that a deployment keeps its
/// settings. The services do not share a process there; here they share these values.
struct ContractSettings {
  std::optional<int> port;               ///< PORT: of a listener that names none
  std::string model_name = "deepfake";   ///< MODEL_NAME: of TensorFlow Serving
  std::string model_version = "1";       ///< MODEL_VERSION: what predict-api states; it chooses nothing
  std::string tf_serving_url;            ///< TF_SERVING_URL; empty: the built-in engine answers
  double default_fps = 2.0;              ///< DEFAULT_FPS: of predict-api without ?fps=
  int max_frames = 256;                  ///< MAX_FRAMES: faces after which predict-api stops
  double threshold = 0.5;                ///< THRESHOLD: predict-api says fake from here on
  double request_timeout = 30;           ///< REQUEST_TIMEOUT: seconds, of TensorFlow Serving
  bool require_auth = false;             ///< REQUIRE_AUTH: of predict-api
  std::string jwt_secret = "change-me";  ///< JWT_SECRET: the one token that predict-api takes

  /// MODEL_PATH and LABEL_PATH of mesonet-api, which its /health repeats.
  std::string model_path = "models/Meso4_DF.h5";
  std::string label_path = "models/mesonet_idx_to_class.pkl";

  /// MESONET_LABELS, new: `readme` for the labels of mesonet-api's README, `deepfake` and `real`, instead of
  /// those of its code, `DeepFake` and `Real`.
  bool mesonet_readme_labels = false;

  /// MESONET_CHANNELS, new: `bgr` for the order of colours that mesonet-api really feeds to its network,
  /// instead of `rgb`, on which that was trained. Of the faithful engine.
  bool mesonet_bgr = false;

  /// FACE_DETECTION_MODELS, new: the folder with the two Caffe files of the microservices' SSD, where those
  /// have it by default. Of the faithful engine.
  std::string face_detection_models = "models/face_detection_models";

  bool strict = false;  ///< upstream faults of predict-api are 503 instead of 400
};

/// The names above, by which a file of settings and the environment are searched.
bool IsContractVariable(std::string_view name);

/// Reads a .env file: `NAME=value` lines as python-dotenv takes them (an `export` before the name, quotes
/// around the value, # comments). kBadRequest with the line's number for anything else.
Result<std::map<std::string, std::string>> ParseEnvFile(std::string_view text);

/// The environment's variables win over the file's, as in the original. `file` may be empty: no file. A
/// value that cannot be read is kBadRequest and names the variable; booleans are true, 1, yes, on, t, y and
/// their opposites in any case.
Result<ContractSettings> ReadContractSettings(const Environment& environment,
                                              const std::filesystem::path& file);

}  // namespace unmask::compat
