// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "evaluation/crop_runner.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

struct MediaRunOptions {
  AnalysisOptions analysis;
  int jobs = 0;  ///< files at once; 0: one for each core
};

/// Analyses pictures and videos by the public Analyzer, as `unmask scan` does, clean and under every variant.
/// For a variant the sampled frames are decoded in the sandbox, each is changed by itself, and a lossless
/// file of them (PNG, or a clip with the same times) is analysed from its start: faces are found anew. Gives
/// what RunCrops() gives.
Result<std::vector<Pass>> RunMedia(std::span<const Sample> samples, Analyzer& analyzer, DecoderPool& decoders,
                                   std::span<const Variant> variants, const MediaRunOptions& options,
                                   const OnSample& on_sample, std::stop_token stop);

}  // namespace unmask
