// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/network.hpp"
#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask::serving {

/// A tensor of a served model without its first dimension, which is the number of instances and may be any.
struct TensorFacts {
  std::string name;
  std::vector<std::size_t> shape;  ///< of one instance
  std::size_t size = 1;            ///< numbers of one instance
};

/// One version of a model of the repository, loaded for other programs to ask. They send what the network
/// takes: cropping, colour and scale are theirs to do. Thread-safe.
class ServedNetwork {
 public:
  /// Checks the files against the card, loads the network and runs it once. Fails as LoadNetwork() does, and
  /// with kInternal for a network whose tensors do not begin with the number of instances.
  static Result<std::shared_ptr<const ServedNetwork>> Load(ModelCard card, const NetworkOptions& options);

  /// `batch`: instances that the network takes in one call; 0: any number. Runs the network once.
  static Result<std::shared_ptr<const ServedNetwork>> Create(ModelCard card, std::unique_ptr<Network> network,
                                                             std::size_t batch);

  const ModelCard& card() const { return card_; }
  const TensorFacts& input() const { return input_; }
  const std::vector<TensorFacts>& outputs() const { return outputs_; }

  /// Computes all outputs of `count` instances (at least one), each tensor with `count` as its first
  /// dimension. Blocks. kInternal when the network fails or gives a value that is not finite.
  Result<std::vector<Tensor>> Predict(std::span<const float> values, std::size_t count) const;

 private:
  ServedNetwork(ModelCard card, std::unique_ptr<Network> network, std::size_t batch);
  Result<void> Probe();

  ModelCard card_;
  std::unique_ptr<Network> network_;
  std::size_t batch_;
  TensorFacts input_;
  std::vector<TensorFacts> outputs_;
};

/// The models that a server offers, in the order of the setting. A value; never changes.
class ModelSet {
 public:
  explicit ModelSet(std::vector<std::shared_ptr<const ServedNetwork>> networks)
      : networks_(std::move(networks)) {}

  /// All versions of a model, rising; empty when there is none of that name.
  std::vector<std::shared_ptr<const ServedNetwork>> Versions(std::string_view name) const;

  /// A version written in decimal, or the highest one for "". Null when there is none.
  std::shared_ptr<const ServedNetwork> Find(std::string_view name, std::string_view version) const;

  const std::vector<std::shared_ptr<const ServedNetwork>>& all() const { return networks_; }

 private:
  std::vector<std::shared_ptr<const ServedNetwork>> networks_;
};

}  // namespace unmask::serving
