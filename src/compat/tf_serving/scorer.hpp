// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "compat/faithful/face_scorer.hpp"
#include "compat/tf_serving/client.hpp"

namespace unmask::compat {

/// The model `name` behind TensorFlow Serving as the network of a faithful engine. Its version and weights
/// are not known here: reports state version 0 and no hash.
std::shared_ptr<FaceScorer> MakeTfServingScorer(std::shared_ptr<TfServing> serving, std::string name);

}  // namespace unmask::compat
