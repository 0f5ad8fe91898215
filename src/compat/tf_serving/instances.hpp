// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"

namespace unmask::compat {

/// Pictures for a network: [count][height][width][channels], row by row.
struct InstanceShape {
  std::size_t count = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 3;

  std::size_t size() const { return count * height * width * channels; }
};

/// TensorFlow Serving's row format: {"instances": [...]}. Each number is the shortest decimal that reads back
/// as the same float32, which makes half the bytes of what Python writes. Not-a-number and infinities, which
/// no picture holds, become 0. `values` has shape.size() numbers.
std::string WriteInstances(std::span<const float> values, const InstanceShape& shape);

/// The scores in an answer: one number for each instance, from "predictions", else "outputs", else "result",
/// under any number of brackets. Anything else, and a score that is no finite number, is kInternal with the
/// original's words: "Malformed TF Serving response: " and the first 400 characters of the answer as Python
/// writes it; for an answer that is no JSON, the words of Python's parser.
Result<std::vector<float>> ReadPredictions(std::string_view answer, std::size_t count);

}  // namespace unmask::compat
