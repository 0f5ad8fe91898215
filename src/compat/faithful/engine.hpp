// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/faithful/face_scorer.hpp"
#include "compat/faithful/steps.hpp"
#include "media/frame_stream.hpp"
#include "unmask/analyzer.hpp"

namespace unmask::compat {

/// Judges media by a contract's own steps and network: at most one face a frame, no tracks, no calibration.
/// Reports are `inconclusive` with the reason `not_calibrated`; FaceReport::score is P(fake) as the network
/// gives it, `real_scores` saying that the network gives P(real).
std::shared_ptr<Analyzer> MakeFaithfulEngine(std::shared_ptr<DecoderPool> decoders,
                                             std::shared_ptr<FaceScorer> scorer, std::unique_ptr<Steps> steps,
                                             bool real_scores);

}  // namespace unmask::compat
