// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "evaluation/dataset.hpp"
#include "evaluation/outcome.hpp"
#include "evaluation/variants.hpp"
#include "media/frame_stream.hpp"
#include "model/scorer.hpp"

namespace unmask {

/// Called after each sample, from several threads at once.
using OnSample = std::function<void(const Sample& sample)>;

struct CropRunOptions {
  std::optional<double> margin;  ///< see crops.hpp
  bool stability = true;         ///< check verdicts under mild re-encodings, as a scan does
  int jobs = 0;                  ///< threads; 0: one for each core
};

/// Scores crops: each is decoded once, in the sandbox, and then measured clean and under every variant by
/// AnalyzeCrop(). Gives the clean pass first, then one for each variant. A sample that cannot be decoded has
/// an error in every pass; the run fails only with kCancelled or when the network fails.
Result<std::vector<Pass>> RunCrops(std::span<const Sample> samples, DecoderPool& decoders,
                                   const Scorer& scorer, std::span<const Variant> variants,
                                   const CropRunOptions& options, const OnSample& on_sample,
                                   std::stop_token stop);

}  // namespace unmask
