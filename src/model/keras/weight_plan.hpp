// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "model/keras/weights.hpp"

namespace unmask::keras {

/// Finds each layer's weights in an .h5 file that lists layers in `group` ("model_weights" in a whole model).
/// A nested model's weights stand in one list there, what is trained before what is not: they are dealt out
/// to its layers. Throws BadFile.
WeightStore PlanListed(const WeightFile& file, const std::string& group, const nlohmann::json& model);

/// The same for the file of weights that Keras 3 writes, where layers are called by their class and a number:
/// layers/conv2d_1/vars/0.
WeightStore PlanNumbered(const WeightFile& file, const nlohmann::json& model);

/// A class name as those files write it: "BatchNormalization" is "batch_normalization".
std::string SnakeCase(const std::string& name);

}  // namespace unmask::keras
