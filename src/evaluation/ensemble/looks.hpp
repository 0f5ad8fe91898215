// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "evaluation/variants.hpp"

namespace unmask {

/// Variants that look `count` times at one face as a video would: where data have one picture of each face, a
/// track of n faces is simulated by n of them. The codec, resolution and blur are drawn once for a face, as a
/// video has them throughout; the box's place and size, the light and the grain differ from look to look. The
/// ranges are those of training/unmask_training/tracks.py. Pose and expression do not change, as they would
/// in a video, so what a network gets wrong about this one picture does not average out: thresholds fitted
/// on such tracks are cautious. The same seed gives the same pixels.
std::vector<Variant> Looks(int count);

}  // namespace unmask
