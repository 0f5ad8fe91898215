// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "unmask/error.hpp"
#include "unmask/report.hpp"

namespace unmask::compat {

/// Crops as a contract's network takes them: [count][height][width][3], row by row, the contract's channel
/// order and range.
struct CropBatch {
  std::size_t count = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<float> values;  ///< count * height * width * 3
};

/// The network of a contract, wherever it runs. Thread-safe; calls block their thread.
class FaceScorer {
 public:
  virtual ~FaceScorer() = default;

  /// The network's own number for each crop, 0..1, in order: P(fake) or P(real), as the contract has it.
  /// `crops` is not empty. Errors are the analysis's; kCancelled when `stop` is requested.
  virtual Result<std::vector<float>> Score(const CropBatch& crops, std::stop_token stop) = 0;

  /// How many crops one call should have; 0: all of a file.
  virtual std::size_t batch() const { return 0; }

  /// What reports say of it.
  virtual ModelFacts facts() const = 0;
};

}  // namespace unmask::compat
