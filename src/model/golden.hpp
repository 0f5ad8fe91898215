// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <string>

#include <opencv2/core/mat.hpp>

#include "model/scorer.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// Golden inputs: pictures whose logits are known from where the model was made, stored with it in
/// golden.json. A network that computes something else, because a file was swapped, the engine differs or the
/// card names another colour order, does not get to serve.
///
///   {"tolerance": 0.02,                         largest |difference| of a logit, above 0, at most 1
///    "cases": [{"name": "synthetic 160",        for messages
///               "source": "synthetic",          GoldenPicture(); a name with ".bgr": a file beside
///               golden.json of
///                                               width x height x 3 bytes, rows from the top, blue first
///               "rect": [0, 0, 160, 160],       x, y (0 here), width, height, each side 1..1024
///               "sha256": "...",                of the .bgr file; optional
///               "logit": -3.55265}]}
///
/// Cases with another `source` (pictures that training has and a server has not) are skipped. At least one
/// must be left.
struct GoldenResult {
  int cases = 0;     ///< that were computed
  double worst = 0;  ///< largest |difference|
  double tolerance = 0;
};

/// The picture that golden.json calls "synthetic": CV_8UC3, blue first, every channel another ramp of x and y
/// modulo 256.
cv::Mat GoldenPicture(int width, int height);

/// Scores one picture, so that the engine has planned and allocated before somebody waits for it.
Result<void> WarmUp(const Scorer& scorer, const std::stop_token& stop = {});

/// Computes the golden inputs of a loaded model, and of an ensemble first those of each member that has some:
/// what is right in sum must be right in each. kInternal when the model's own folder has no golden.json, when
/// one is broken or has no case that can be computed, and when a logit differs: the message names the case,
/// both values and the tolerance.
Result<GoldenResult> CheckGolden(const Scorer& scorer, const std::stop_token& stop = {});

/// A golden.json of synthetic inputs from what the model computes now, for models that came without one. Says
/// nothing of whether that is right, only that later loads, other machines and other engines must do the
/// same.
Result<std::string> MakeGolden(const Scorer& scorer);

}  // namespace unmask
