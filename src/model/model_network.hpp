// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include "model/network.hpp"
#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// The network of a model of the repository.
struct ModelNetwork {
  std::unique_ptr<Network> network;
  std::size_t batch = 0;  ///< instances that it takes in one call; 0: any number
};

/// Checks the network's files against the card and loads it; or connects to the engine elsewhere that the
/// card or, before it, `options.engines` names. On a CPU each instance is computed by itself unless
/// `options.batch` says otherwise. kBadRequest for an ensemble, which has none. Fails as LoadNetwork() and
/// ModelRepository::VerifyNetwork() do.
Result<ModelNetwork> LoadModelNetwork(const ModelCard& card, const NetworkOptions& options);

}  // namespace unmask
