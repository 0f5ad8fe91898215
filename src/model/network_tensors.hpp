// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/network.hpp"
#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// A tensor of a network without its first dimension, which is the number of instances and may be any.
struct TensorFacts {
  std::string name;
  std::vector<std::size_t> shape;  ///< of one instance
  std::size_t size = 1;            ///< numbers of one instance
};

/// What a network takes and gives, for programs that send it tensors of their own.
struct NetworkTensors {
  TensorFacts input;
  std::vector<TensorFacts> outputs;  ///< in the order of the file
};

/// Runs the network once, on zeros, and looks at what comes out. Fails as Network::Infer() does, and with
/// kInternal for a network whose tensors do not begin with the number of instances or have no fixed size
/// beside it: it can be used here, and not be offered to others.
Result<NetworkTensors> ProbeTensors(const ModelCard& card, Network& network);

}  // namespace unmask
