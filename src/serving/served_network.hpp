// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "model/network_tensors.hpp"
#include "model/scorer.hpp"
#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask::serving {

/// One version of a model of the repository, for other programs to ask. They send what the network takes:
/// cropping, colour and scale are theirs to do. The version stays loaded while this lives. Cheap to make and
/// to copy; thread-safe.
class ServedNetwork {
 public:
  ServedNetwork(std::shared_ptr<const Scorer> scorer, std::shared_ptr<const NetworkTensors> tensors)
      : scorer_(std::move(scorer)), tensors_(std::move(tensors)) {}

  const ModelCard& card() const { return scorer_->card(); }
  const TensorFacts& input() const { return tensors_->input; }
  const std::vector<TensorFacts>& outputs() const { return tensors_->outputs; }

  /// Computes all outputs of `count` instances (at least one), each tensor with `count` as its first
  /// dimension. Blocks. kInternal when the network fails or gives a value that is not finite; kCancelled
  /// soon after `stop` when the network waits for something elsewhere.
  Result<std::vector<Tensor>> Predict(std::span<const float> values, std::size_t count,
                                      const std::stop_token& stop = {}) const;

 private:
  std::shared_ptr<const Scorer> scorer_;
  std::shared_ptr<const NetworkTensors> tensors_;
};

}  // namespace unmask::serving
